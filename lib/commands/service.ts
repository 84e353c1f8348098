/** A service that a command starts: where it listens, whom it answers, and how it ends. */
import { messageOf, MRNetError, OptionError, PermissionError } from "../errors.ts";
import { readBytes } from "../files.ts";
import { createHandler, type Handler } from "../serve/handler.ts";
import type { ServeOptions } from "../serve/options.ts";
import { option, text, UsageError } from "./arguments.ts";
import { remark } from "./console.ts";
import { Listener } from "./listener.ts";
import { isLoopback, loopbackHosts } from "./loopback.ts";

/** How long answers may take to go out after Ctrl-C when all are made, in milliseconds. */
const GRACE = 3000;

/** A token is sent with every request, so no file of one is long; in bytes. */
const LONGEST_TOKEN_FILE = 4096;

/** `--token`. */
export function tokenOption() {
  return option("--token <TEXT>", "what clients must send as Authorization: Bearer", text);
}

/** `--token_file`. */
export function tokenFileOption() {
  return option(
    "--token_file <FILE>",
    "the same from a file, where no list of processes shows it",
    text,
  );
}

/** `--host`. */
export function hostOption() {
  return option("--host <ADDRESS>", "address to listen on; 0.0.0.0 is every one", text)
    .default("127.0.0.1");
}

/** Where to listen, and what clients must send. */
export interface ServiceGiven {
  port: number;
  host: string;
  token?: string;
  token_file?: string;
}

/** A service of a command's own. */
export class CommandService {
  readonly #given: ServiceGiven;
  readonly #handler: Handler;
  readonly #isOpenToAll: boolean;
  #server: Listener | undefined;

  private constructor(given: ServiceGiven, handler: Handler, isOpenToAll: boolean) {
    this.#given = given;
    this.#handler = handler;
    this.#isOpenToAll = isOpenToAll;
  }

  /** Makes one ready: its models are loaded, and nobody is answered yet. */
  static async prepare(given: ServiceGiven, options: ServeOptions): Promise<CommandService> {
    const { host, port } = given;
    const token = await _tokenOf(given);
    const comesTo = _addressOf(host, port);
    const local = isLoopback(comesTo);
    const handler = createHandler({
      ...options,
      token,
      // Without a token anything in a browser here could ask, so only our own names are answered.
      hosts: local && token === undefined ? loopbackHosts(host, comesTo) : undefined,
      onError: (error) =>
        remark(error instanceof MRNetError ? messageOf(error) : `Fault: ${error}`),
    });
    await handler.ready();
    return new CommandService({ ...given, token }, handler, !local && token === undefined);
  }

  /** Listens, and says where. */
  listen(say: (line: string) => void): void {
    const { host, port, token } = this.#given;
    const name = host.includes(":") ? `[${host}]` : host;
    this.#server = _listen(name, host, port, this.#handler);
    const shown = name === "0.0.0.0" || name === "[::]" ? "localhost" : name;
    const address = `http://${shown}:${this.#server.port}/`;
    say(
      `Serving at ${address}${
        token === undefined ? "" : "#token=…, the token in place of the dots"
      }`,
    );
    if (this.#isOpenToAll) {
      remark(`Whoever reaches ${host} is answered: give --token, or leave --host out.`);
    }
  }

  /** Answers what has been accepted, refuses what comes, and closes the port. */
  async stop(): Promise<void> {
    // New requests are told so meanwhile; each of those under way has a deadline.
    await this.#handler.stop();
    const grace = new Promise<void>((resolve) => setTimeout(resolve, GRACE));
    await Promise.race([this.#server?.shutdown(), grace]);
  }
}

/**
 * The address that a host comes to: any name may be the own machine's, as its own in /etc/hosts is. Where
 * nothing can listen there it is the host, and listening says later what is wrong.
 */
function _addressOf(hostname: string, port: number): string {
  try {
    using listener = Deno.listen({ hostname, port });
    return listener.addr.hostname;
  } catch {
    return hostname;
  }
}

/** @param name the host as it stands in an address */
function _listen(name: string, hostname: string, port: number, handler: Handler) {
  try {
    return new Listener({ hostname, port, onTrouble: remark }, handler);
  } catch (error) {
    const doing = `Cannot listen on ${name}:${port}`;
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError(
        `${doing}: Deno has no permission for it: run again with --allow-net=${name}:${port}`,
      );
    }
    if (error instanceof Deno.errors.AddrInUse) {
      throw new OptionError(`${doing}: something else listens there: choose another --port`);
    }
    throw new OptionError(`${doing}: ${messageOf(error)}: choose another --host or --port`);
  }
}

async function _tokenOf(
  { token, token_file }: Pick<ServiceGiven, "token" | "token_file">,
): Promise<string | undefined> {
  if (token_file === undefined) return token;
  if (token === undefined) return await _readToken(token_file);
  throw new UsageError("argument --token_file: not allowed with argument --token");
}

async function _readToken(path: string): Promise<string> {
  const hint = "give a file that holds the token alone";
  const what = "read the token from";
  const action = { what, path, access: "read", error: OptionError, hint } as const;
  return new TextDecoder().decode(await readBytes(action, { most: LONGEST_TOKEN_FILE })).trim();
}
