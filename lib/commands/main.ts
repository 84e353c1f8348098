/**
 * The command line: finds the command, runs it, and turns whatever fails into one line and an exit
 * code.
 */
import { messageOf, MRNetError } from "../errors.ts";
import { VERSION } from "../version.ts";
import {
  checkCommand,
  Command,
  CommanderError,
  type CommandUnknownOpts,
  inArgparsesWords,
  UsageError,
  usageOf,
} from "./arguments.ts";
import { columns, printLines, ReaderLeft, remark, remarkLines, wrapped } from "./console.ts";
import { writtenOut } from "./abbreviations.ts";
import { cardCommand } from "./card.ts";
import { combineCommand } from "./combine.ts";
import { completionCommand } from "./completion.ts";
import { convertCommand } from "./convert.ts";
import { demoCommand } from "./demo.ts";
import { ensembleCommand } from "./ensemble.ts";
import { evaluateCommand } from "./evaluate.ts";
import { doctorCommand } from "./doctor.ts";
import { gatherCommand } from "./gather.ts";
import { importCommand } from "./import.ts";
import { inspectCommand } from "./inspect.ts";
import { planCommand } from "./plan.ts";
import { powerCommand } from "./power.ts";
import { predictCommand } from "./predict.ts";
import { recalibrateCommand } from "./recalibrate.ts";
import { runAllCommand } from "./run_all.ts";
import { serveCommand, viewCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { submitCommand } from "./submit.ts";
import { synthCommand } from "./synth.ts";
import { trainCommand } from "./train.ts";
import { unitCommand } from "./unit.ts";
import { watchCommand } from "./watch.ts";
import { workCommand } from "./work.ts";
import { INTERRUPTED } from "./training_display.ts";

/** How wide help and usage are written at least and at most, in columns. */
const [MIN_WIDTH, MAX_WIDTH] = [50, 100];

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
    .description("MRNet for Deno: train and evaluate classifiers of knee MRI exams.")
    .version(`MRNet for Deno ${VERSION}`, "-V, --version", "show the version")
    .option("--debug", "show the stack of an error");
  const train = trainCommand(exit);
  const commands: CommandUnknownOpts[] = [
    train,
    evaluateCommand(),
    powerCommand(),
    predictCommand(exit),
    combineCommand(),
    ensembleCommand(),
    recalibrateCommand(),
    runAllCommand(exit),
    planCommand(),
    unitCommand(exit),
    submitCommand(),
    workCommand(exit),
    statusCommand(),
    gatherCommand(),
    serveCommand(),
    viewCommand(),
    watchCommand(),
    demoCommand(exit),
    synthCommand(exit),
    convertCommand(),
    cardCommand(),
    inspectCommand(exit),
    importCommand(exit),
    doctorCommand(exit),
  ];
  commands.push(completionCommand(commands));
  const names = commands.map((command) => command.name());
  // Somebody who knows the original script looks for its options here.
  program.addHelpText("after", () => `\n${train.helpInformation()}`);
  commands.forEach((command, index) => {
    program.addCommand(command.copyInheritedSettings(program), { isDefault: index === 0 });
  });
  // The one that is at fault is only known to its own handlers.
  let current: CommandUnknownOpts = program;
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns()));
  for (const command of [program, ...commands]) {
    _configure(command, width);
    command.exitOverride((error) => {
      current = command;
      throw error;
    });
    command.hook("preSubcommand", (_, chosen) => void (current = chosen));
  }
  const debug = args.includes("--debug");
  const typed = args.filter((arg) => arg !== "--debug");
  try {
    const named = commands.find((command) => command.name() === typed[0]);
    current = named ?? train;
    checkCommand(typed[0], names);
    const own = named === undefined ? typed : typed.slice(1);
    const isOwn = _isOfProgram(typed[0]);
    const written = isOwn ? own : writtenOut(own, current);
    await program.parseAsync(named === undefined ? written : [named.name(), ...written], {
      from: "user",
    });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError || error instanceof UsageError) {
      const words = error instanceof UsageError ? error.message : inArgparsesWords(error, current);
      remarkLines(usageOf(current, width));
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

/** Has a command print as this toolkit does, in so many columns. */
function _configure(command: CommandUnknownOpts, width: number): void {
  command.configureOutput({
    writeOut: (text) => printLines(wrapped(text.trimEnd(), width)),
    writeErr: () => {},
    // Left to itself commander asks the environment, for which there is no permission.
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    getOutHelpWidth: () => width,
    getErrHelpWidth: () => width,
  });
  // Left to itself commander does not break lines in the narrow column beside long options.
  command.configureHelp({ minWidthToWrap: 12 });
}

/** Whether a word is for the program and not for training, which is what it does by itself. */
function _isOfProgram(word: string | undefined): boolean {
  return word !== undefined && ["-V", "--version", "-h", "--help", "help"].includes(word);
}

/** One line for what the user can fix; a fault of the toolkit says that it is one. */
function _explain(error: unknown, debug: boolean): void {
  const known = error instanceof MRNetError;
  remark(known ? messageOf(error) : `This is a fault of the toolkit: ${messageOf(error)}`);
  if (debug && error instanceof Error) remarkLines(error.stack ?? "");
  else if (!known) remark("Run again with --debug for the details to report.");
}
