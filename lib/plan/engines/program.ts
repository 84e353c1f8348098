/** Programs of a cluster, run to their end. */
import { messageOf, PermissionError, SubmitError } from "../../errors.ts";

/** How a program is run. */
export interface ProgramOptions {
  /** What is being done, in words that follow "Cannot". */
  what: string;
  /** What to do if the machine has no such program. */
  absent: string;
  /** The programs that the engine runs, for the permission. */
  programs: readonly string[];
}

/**
 * Runs a program and gives what it printed.
 *
 * @throws {PermissionError} if Deno may not run it
 * @throws {SubmitError} if it is not there or fails
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { what, absent, programs }: ProgramOptions,
): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null" });
  let output: Deno.CommandOutput;
  try {
    output = await command.output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new SubmitError(`Cannot ${what}: this machine has no '${program}': ${absent}`);
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError(
        `Cannot ${what}: Deno has no permission for it: run again with ` +
          `--allow-run=${programs.filter(_isRefused).join(",")}`,
      );
    }
    throw new SubmitError(`Cannot ${what}: '${program}' does not start: ${messageOf(error)}`);
  }
  const [out, err] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (output.code === 0) return out;
  const said = messageOf(err) || messageOf(out) || `it exited ${output.code}`;
  throw new SubmitError(`Cannot ${what}: '${program}' refused: ${said}`);
}

/** Whether Deno may not run a program. */
function _isRefused(command: string): boolean {
  return Deno.permissions.querySync({ name: "run", command }).state !== "granted";
}
