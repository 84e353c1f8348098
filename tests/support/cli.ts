/**
 * The command line as a user runs it: another process, in a folder of its own, with the permissions
 * that the documentation names and no more.
 */
import assert from "node:assert/strict";
import { TemporaryFolder } from "./folders.ts";

/** The program. */
export const CLI = new URL("../../cli.ts", import.meta.url).pathname;

/** The permissions that are enough to train from local weights. */
export const PERMISSIONS = [
  "--allow-read=data,models,logs",
  "--allow-write=models,logs",
] as const;

/** What a process came to. */
export interface Outcome {
  code: number;
  /** What it wrote to standard output. */
  out: string;
  /** What it wrote to standard error, without the lines of the GPU driver. */
  err: string;
}

/** How to run it, where that differs from what the documentation says. */
export interface RunOptions {
  /** Permissions instead of {@linkcode PERMISSIONS}. */
  permissions?: readonly string[];
  /** What its environment has beside that of the tests. */
  env?: Record<string, string>;
}

/** A graphics driver speaks up on standard error when an adapter is looked for. */
const DRIVER = /^(error: XDG_RUNTIME_DIR|MESA|libEGL|WARNING: (lavapipe|Some incorrect)).*\n?/gm;

/** Standard error without the lines of the GPU driver. */
export function withoutDriver(text: string): string {
  return text.replace(DRIVER, "");
}

/** The program's process, not yet started. */
export function cliCommand(
  folder: TemporaryFolder,
  args: readonly string[],
  { permissions = PERMISSIONS, env }: RunOptions = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, CLI, ...args],
    cwd: folder.path,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // With NO_COLOR set, as where these tests run, the program asks less of its environment.
    env: { NO_COLOR: "", ...env },
  });
}

/** Runs the program to its end. */
export async function runCli(
  folder: TemporaryFolder,
  args: readonly string[],
  options?: RunOptions,
): Promise<Outcome> {
  const { code, stdout, stderr } = await cliCommand(folder, args, options).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err: withoutDriver(err) };
}

/** Runs a script of a folder with exactly these flags, and these arguments. */
export async function runScript(
  folder: TemporaryFolder,
  script: string,
  flags: readonly string[],
  args: readonly string[] = [],
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...flags, script, ...args],
    cwd: folder.path,
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err: withoutDriver(err) };
}

/**
 * Runs a script in a process of its own and gives the value that it prints as JSON: what is measured of
 * a whole process must not be that of other tests, which run beside this one in the same. It can collect
 * garbage with `gc()`.
 */
export async function printedBy<T>(code: string, ...args: string[]): Promise<T> {
  await using folder = await TemporaryFolder.make();
  await folder.write("script.ts", code);
  const outcome = await runScript(folder, "script.ts", ["-A", "--v8-flags=--expose-gc"], args);
  assert.equal(outcome.code, 0, outcome.err);
  return JSON.parse(outcome.out);
}
