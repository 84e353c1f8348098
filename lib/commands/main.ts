/**
 * The command line: finds the command, runs it, and turns whatever fails into one line and an exit
 * code.
 *
 * @module
 */
import { messageOf, MRNetError } from "../errors.ts";
import {
  Command,
  CommanderError,
  type CommandUnknownOpts,
  inArgparsesWords,
  UsageError,
  usageOf,
} from "./arguments.ts";
import { printLines, ReaderLeft, remark, remarkLines } from "./console.ts";
import { combineCommand } from "./combine.ts";
import { convertCommand } from "./convert.ts";
import { demoCommand } from "./demo.ts";
import { evaluateCommand } from "./evaluate.ts";
import { predictCommand } from "./predict.ts";
import { runAllCommand } from "./run_all.ts";
import { serveCommand, viewCommand } from "./serve.ts";
import { synthCommand } from "./synth.ts";
import { trainCommand } from "./train.ts";
import { INTERRUPTED } from "./training_display.ts";

/** How wide the help is written, in columns. */
const HELP_WIDTH = 100;

/** Wrong arguments, as argparse exits. */
const WRONG_ARGUMENTS = 2;

/** Nobody reads the results any more: as shells count the signal that ends other programs then. */
const READER_LEFT = 141;

/**
 * Runs the command line.
 *
 * @param args the arguments, without the program's name
 * @returns the exit code: 0, 1 where something failed, 2 where the arguments are wrong
 */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const exit = (given: number) => code = given;
  const program = new Command("cli.ts")
    .description("MRNet for Deno: train and judge classifiers of knee MRI exams.")
    .option("--debug", "show the stack of an error");
  const train = trainCommand(exit);
  const commands: CommandUnknownOpts[] = [
    train,
    evaluateCommand(),
    predictCommand(exit),
    combineCommand(),
    runAllCommand(exit),
    serveCommand(),
    viewCommand(),
    demoCommand(exit),
    synthCommand(),
    convertCommand(),
  ];
  // Somebody who knows the original script looks for its options here.
  program.addHelpText("after", () => `\n${train.helpInformation()}`);
  commands.forEach((command, index) => {
    program.addCommand(command.copyInheritedSettings(program), { isDefault: index === 0 });
  });
  // The one that is at fault is only known to its own handlers.
  let current: CommandUnknownOpts = program;
  for (const command of [program, ...commands]) {
    command.exitOverride((error) => {
      current = command;
      throw error;
    });
    command.configureOutput({
      writeOut: (text) => printLines(text.trimEnd()),
      writeErr: () => {},
      // Left to itself commander asks the environment, for which there is no permission.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    });
    command.hook("preSubcommand", (_, chosen) => void (current = chosen));
  }
  const debug = args.includes("--debug");
  try {
    await program.parseAsync(args.filter((arg) => arg !== "--debug"), { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError || error instanceof UsageError) {
      const words = error instanceof UsageError ? error.message : inArgparsesWords(error, current);
      remarkLines(usageOf(current));
      remark(`cli.ts: error: ${words}`);
      return WRONG_ARGUMENTS;
    }
    if (error instanceof ReaderLeft) return READER_LEFT;
    // Ctrl-C before there was anything to keep, as while weights are fetched.
    if (error instanceof DOMException && error.name === "AbortError") {
      remark("Interrupted: nothing was kept.");
      return INTERRUPTED;
    }
    _explain(error, debug);
    return 1;
  }
}

/** One line for what the user can mend; a fault of the toolkit says that it is one. */
function _explain(error: unknown, debug: boolean): void {
  const known = error instanceof MRNetError;
  remark(known ? messageOf(error) : `This is a fault of the toolkit: ${messageOf(error)}`);
  if (debug && error instanceof Error) remarkLines(error.stack ?? "");
  else if (!known) remark("Run again with --debug for the details to report.");
}
