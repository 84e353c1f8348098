/**
 * Commands as the user can type them: Deno may have come by npm alone, and is then not on the path.
 */

/** The lock file of the packages that queues need, beside `cli.ts`. */
export const QUEUE_LOCK = "deno.queue.lock";

/**
 * How to start Deno the way that this process was started: `deno`, or `npx -y deno@2.9.6`.
 *
 * @param path the program that runs
 * @param version its version
 */
export function denoProgram(path: string, version: string): string {
  // npx keeps what it fetches in a folder of that name; `npm install` puts it into `node_modules`.
  if (/[\\/]_npx[\\/]/.test(path)) return `npx -y deno@${version}`;
  return /[\\/]node_modules[\\/]/.test(path) ? "npx deno" : "deno";
}

/**
 * A command of `cli.ts` that can be typed as it stands.
 *
 * @param args its arguments; one that a shell would take apart is put into quotes
 */
export function commandLine(...args: string[]): string {
  return [_program(), "run -A cli.ts", ...args.map(shellQuoted)].join(" ");
}

/** The same of a command that uses a queue: what queues need is in a lock file of its own. */
export function queueCommandLine(...args: string[]): string {
  return [_program(), `run -A --lock=${QUEUE_LOCK} cli.ts`, ...args.map(shellQuoted)].join(" ");
}

/** A command of `cli.ts` in a document that is read on other machines. */
export function documentedCommandLine(...args: string[]): string {
  return ["deno run -A cli.ts", ...args.map(shellQuoted)].join(" ");
}

/** Of a runtime that is not Deno nothing is known. */
function _program(): string {
  try {
    return denoProgram(Deno.execPath(), Deno.version.deno);
  } catch {
    return "deno";
  }
}

/** An argument as a shell takes it: in quotes if the shell would take it apart. */
export function shellQuoted(arg: string): string {
  return /^[\w./:=@%+,-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
