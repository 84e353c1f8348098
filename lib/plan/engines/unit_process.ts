/**
 * A unit in a process of its own, as `cli.ts unit` does it. It may read, and write in the plan's folder;
 * it may reach no network and start nothing.
 */
import { messageOf, PermissionError, SubmitError } from "../../errors.ts";

/** What a unit's process came to. */
export interface UnitProcessEnd {
  /** Its exit code: 0 done, 75 come again, 1 failed, 2 wrong arguments; others of what ended it. */
  code: number;
  /** The last line of its results: what became of the unit. */
  said: string;
  /** The last line that it wrote to standard error: why it failed. */
  error: string;
}

/** A unit that is being done. */
export interface UnitProcess {
  /** Has it save its state and end. */
  stop(): void;
  /** Settles at its end. */
  ended: Promise<UnitProcessEnd>;
}

/** What is done, and where. */
export interface UnitProcessOptions {
  /** The folder to start in. */
  cwd: string;
  /** The folder of the plan, from there. */
  plan: string;
  /** The number of the unit. */
  index: number;
  /** Called with each line that it writes. */
  onLine?: (line: string) => void;
}

const CLI = new URL("../../../cli.ts", import.meta.url);

/**
 * The arguments by which Deno does a unit of a plan, the number apart: with the permissions that this
 * takes and no more.
 *
 * @param cli the program
 * @param plan the folder of the plan
 * @param variable from which the unit's number comes, if it is not given
 */
export function unitArguments(cli: string, plan: string, variable?: string): string[] {
  const variables = ["XDG_RUNTIME_DIR", ...(variable === undefined ? [] : [variable])];
  return [
    // Where there is no network, what is not in Deno's cache would be waited for.
    ...["run", "--quiet", "--cached-only", "--no-prompt", "--allow-read"],
    // A comma would begin another path.
    `--allow-write=${plan.replaceAll(",", ",,")}`,
    `--allow-env=${variables.join()}`,
    ...[cli, "unit", plan],
  ];
}

/**
 * Starts a unit.
 *
 * @throws {PermissionError} if Deno may not start a process
 * @throws {SubmitError} if it cannot be started
 */
export function startUnit({ cwd, plan, index, onLine }: UnitProcessOptions): UnitProcess {
  const file = CLI.protocol === "file:" ? decodeURIComponent(CLI.pathname) : CLI.href;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(Deno.execPath(), {
      args: [...unitArguments(file, plan), "--index", String(index)],
      cwd,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
      // Ctrl-C reaches every process of a terminal's group; this one is told by `stop` alone.
      detached: true,
    }).spawn();
  } catch (error) {
    throw _refusal(error, cwd);
  }
  let [said, error] = ["", ""];
  const ended = Promise.all([
    child.status,
    _eachLine(child.stdout, (line) => {
      said = line;
      onLine?.(line);
    }),
    _eachLine(child.stderr, (line) => {
      error = line;
      onLine?.(line);
    }),
  ]).then(([{ code }]) => ({ code, said, error }));
  return {
    ended,
    stop() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
    },
  };
}

async function _eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") onLine(line);
  }
  if (rest !== "") onLine(rest);
}

function _refusal(error: unknown, cwd: string): Error {
  if (error instanceof Deno.errors.NotCapable) {
    return new PermissionError(
      "Cannot start a unit: Deno has no permission to start a process: run again with --allow-run",
    );
  }
  return new SubmitError(
    `Cannot start a unit in '${cwd}': ${
      messageOf(error)
    }: check that this machine sees that folder`,
  );
}
