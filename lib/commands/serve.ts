/** `cli.ts serve` and `cli.ts view`: the models behind a URL, and exams to look at in a browser. */
import type { EngineChoice } from "../engine/engine.ts";
import { DataError, messageOf, MRNetError, OptionError, PermissionError } from "../errors.ts";
import { fileError, folderOf, join, readBytes } from "../files.ts";
import { isRemote } from "../model/model_source.ts";
import { commandLine } from "../invocation.ts";
import { createHandler, type Handler } from "../serve/handler.ts";
import { SERVE_LIMITS } from "../serve/options.ts";
import { normalizeOrigins } from "../serve/origins.ts";
import { Command, option, text, UsageError, wholeNumber } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import {
  DICOMWEB_PERMISSION,
  dicomwebOptions,
  type PacsGiven,
  pacsOptionsOf,
} from "./dicomweb_options.ts";
import { interruptible } from "./interrupt.ts";
import { Listener } from "./listener.ts";
import { isLoopback, loopbackHosts } from "./loopback.ts";
import { backendOption } from "./model_options.ts";

/** The folder beside the models that keeps what they say of a dataset. */
const VERDICTS = "verdicts";

/** How long answers may take to go out after Ctrl-C when all are made, in milliseconds. */
const GRACE = 3000;

const PERMISSIONS =
  "\nPermissions: --allow-net=HOST:PORT --allow-read=DIR, where DIR are the folders of the models and\n" +
  "of the data, and --allow-write=DIR for that of --verdicts; both for that of --reader. -P=serve in\n" +
  "the place of -A grants 127.0.0.1:8080, data and models, and writing to models/verdicts.";

const { bodyBytes, answerBytes, slicePixels, voxels, queue, deadline } = SERVE_LIMITS;
const { images, inflatedBytes, seriesPixels } = SERVE_LIMITS;
const LIMITS =
  `\nLimits: a body of ${bodyBytes} bytes, answers on their way out of ${answerBytes} in all, slices of ${slicePixels} pixels, exams of ${voxels} voxels,\n` +
  `studies of ${images} files and frames, ${inflatedBytes} bytes inflated and ${seriesPixels} pixels a series,\n` +
  `${queue} requests waiting, ${
    deadline / 1000
  } s a request; createHandler({ limits }) takes others.`;

/** `ORIGIN,ORIGIN`. */
function origins(given: string): string[] {
  try {
    return normalizeOrigins(given.split(","));
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** `FILE,FILE`. */
function fileList(given: string): string[] {
  const files = given.split(",");
  if (files.every((file) => file !== "")) return files;
  throw new UsageError(`invalid value: '${given}' (must be files joined by commas)`);
}

/** `--models FILE,…`. */
export function modelsOption() {
  return option(
    "--models <FILE,…>",
    "models to ask: .safetensors, .pth, .pt, or what combine wrote; a path or a URL each",
    fileList,
  );
}

function portOption() {
  return option("--port <N>", "port to listen on; 0 takes a free one", wholeNumber(0, 65535))
    .default(8080);
}

function verdictsOption() {
  return option(
    "--verdicts <{DIR,none}>",
    `folder that keeps what the models say of the dataset, so that no start computes it anew ` +
      `(default: ${VERDICTS} beside the first model)`,
    text,
  );
}

function readerOption() {
  return option(
    "--reader <FILE.csv>",
    "ask a person about each exam before the models' answers and the labels are shown, and keep\n" +
      "what was answered in this file (default: nobody is asked)",
    text,
  );
}

function tokenOption() {
  return option("--token <TEXT>", "what clients must send as Authorization: Bearer", text);
}

function tokenFileOption() {
  return option(
    "--token_file <FILE>",
    "the same from a file, where no list of processes shows it",
    text,
  );
}

function hostOption() {
  return option("--host <ADDRESS>", "address to listen on; 0.0.0.0 is every one", text)
    .default("127.0.0.1");
}

/** `cli.ts serve`. */
export function serveCommand() {
  const [dicomwebOption, credentialsOption] = dicomwebOptions();
  return new Command("serve")
    .description(
      "Serve models by HTTP: POST /v1/predict takes .npy files and studies from a scanner (DICOM,\n" +
        "NIfTI, zip archives), and the viewer is at /. Only this machine is answered unless --host\n" +
        "says otherwise.",
    )
    .addOption(option("--data <DIR>", "dataset to show in the viewer (default: none)", text))
    .addOption(modelsOption())
    .addOption(verdictsOption())
    .addOption(readerOption())
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(tokenOption())
    .addOption(tokenFileOption())
    .addOption(
      option(
        "--allow_origin <ORIGIN,…>",
        "pages that may ask /v1/ from a browser, by origin: https://HOST:PORT (default: none)",
        origins,
      ),
    )
    .addOption(dicomwebOption)
    .addOption(credentialsOption)
    .addOption(backendOption())
    .addHelpText("after", `${(LIMITS + PERMISSIONS).replace(/\.$/, ";")}\n${DICOMWEB_PERMISSION}`)
    .action(_serve);
}

/** `cli.ts view`. */
export function viewCommand() {
  return new Command("view")
    .description(
      "Look at a dataset in a browser: three planes side by side, and with --models where the\n" +
        "networks looked. Exams and studies from a scanner (DICOM, NIfTI, zip archives) can be\n" +
        "dropped on the page.",
    )
    .addOption(option("--data <DIR>", "folder of the dataset", text).default("data"))
    .addOption(modelsOption())
    .addOption(verdictsOption())
    .addOption(readerOption())
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(tokenOption())
    .addOption(tokenFileOption())
    .addOption(backendOption())
    .addHelpText("after", LIMITS + PERMISSIONS)
    .action(_serve);
}

/** What both commands take. */
interface _Given extends PacsGiven {
  data?: string;
  models?: string[];
  verdicts?: string;
  reader?: string;
  port: number;
  host: string;
  token?: string;
  token_file?: string;
  allow_origin?: string[];
  backend: EngineChoice;
}

async function _serve(
  { data, models = [], port, host, backend, allow_origin, ...given }: _Given,
): Promise<void> {
  await checkModelFiles(models);
  const token = await _tokenOf(given);
  if (data !== undefined) await _checkFolder(data);
  if (given.dicomweb === undefined && given.dicomweb_credentials !== undefined) {
    throw new UsageError(
      "argument --dicomweb_credentials: not allowed without argument --dicomweb",
    );
  }
  const { dicomweb } = given;
  const pacs = dicomweb === undefined ? undefined : await pacsOptionsOf(dicomweb, given);
  const name = host.includes(":") ? `[${host}]` : host;
  const comesTo = _addressOf(host, port);
  const local = isLoopback(comesTo);
  const handler = createHandler({
    models,
    engine: backend,
    token,
    viewer: {
      data,
      verdicts: _verdictsFolder(given.verdicts, models),
      reader: given.reader,
    },
    origins: allow_origin,
    pacs,
    // Without a token anything in a browser here could ask, so only our own names are answered.
    hosts: local && token === undefined ? loopbackHosts(host, comesTo) : undefined,
    onError: (error) => remark(error instanceof MRNetError ? messageOf(error) : `Fault: ${error}`),
  });
  await handler.ready();
  using interrupt = interruptible(() => remark("Stopping after the requests under way."));
  const server = _listen(name, host, port, handler);
  const shown = name === "0.0.0.0" || name === "[::]" ? "localhost" : name;
  const address = `http://${shown}:${server.port}/`;
  print(
    `Serving at ${address}${token === undefined ? "" : "#token=…, the token in place of the dots"}`,
  );
  if (!local && token === undefined) {
    remark(`Whoever reaches ${host} is answered: give --token, or leave --host out.`);
  }
  if (data !== undefined && models.length > 0 && models.every(isRemote) && !given.verdicts) {
    remark(
      "What the models say of the list is computed anew at each start: --verdicts DIR keeps it.",
    );
  }
  remark("Not for diagnosis. Ctrl-C stops it.");
  await new Promise<void>((resolve) => interrupt.signal.addEventListener("abort", () => resolve()));
  // New requests are told so meanwhile; each of those under way has a deadline.
  await handler.stop();
  const grace = new Promise<void>((resolve) => setTimeout(resolve, GRACE));
  await Promise.race([server.shutdown(), grace]);
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

/** Where the models' answers are kept; a model behind a URL has no folder to keep them beside. */
function _verdictsFolder(given: string | undefined, models: readonly string[]): string | undefined {
  if (given !== undefined) return given === "none" ? undefined : given;
  const own = models.find((model) => !isRemote(model));
  return own === undefined ? undefined : join(folderOf(own), VERDICTS);
}

async function _checkFolder(data: string): Promise<void> {
  const hint = `name its folder, or make one: ${commandLine("synth", "--out", data)}`;
  const info = await Deno.stat(data).catch((error) => {
    const what = "open the dataset in";
    throw fileError(error, { what, path: data, access: "read", error: DataError, hint });
  });
  if (!info.isDirectory) {
    throw new DataError(`Cannot open the dataset in '${data}': it is a file: ${hint}`);
  }
}

/** A token is sent with every request, so no file of one is long; in bytes. */
const LONGEST_TOKEN_FILE = 4096;

async function _tokenOf(
  { token, token_file }: Pick<_Given, "token" | "token_file">,
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
