/**
 * Command line arguments that behave as the original script's did: the same names, and argparse's
 * words for whatever is wrong with them.
 */
import { Command, CommanderError, Option } from "npm:@commander-js/extra-typings@15.1.0";
import type { CommandUnknownOpts } from "npm:@commander-js/extra-typings@15.1.0";
import { MRNetError } from "../errors.ts";
import { nearest } from "../nearest.ts";

export { Command, CommanderError, type CommandUnknownOpts };

/** The arguments cannot be used; the message is argparse's. */
export class UsageError extends MRNetError {}

/** Reads the text of one argument, or throws what is wrong with it: `invalid int value: 'x'`. */
export type Reader<T> = (text: string) => T;

/** One of a few words. */
export function choice<const T extends string>(choices: readonly T[]): Reader<T> {
  return (text) => {
    if ((choices as readonly string[]).includes(text)) return text as T;
    const all = choices.map((each) => `'${each}'`).join(", ");
    throw new UsageError(`invalid choice: '${text}' (choose from ${all})`);
  };
}

/** 0 or 1, as the original script takes its switches. */
export function zeroOrOne(text: string): boolean {
  const value = wholeNumber()(text);
  if (value === 0 || value === 1) return value === 1;
  throw new UsageError(`invalid choice: ${value} (choose from 0, 1)`);
}

/** A whole number within bounds. */
export function wholeNumber(least = -Infinity, most = Infinity): Reader<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\s*[+-]?\d+\s*$/.test(text) || !Number.isSafeInteger(value)) {
      throw new UsageError(`invalid int value: '${text}'`);
    }
    return _within(value, least, most);
  };
}

/** A number as Python's `float` takes it; JavaScript would also take `0x1f` and the empty text. */
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

function number(text: string): number {
  const value = Number(text);
  if (DECIMAL.test(text) && Number.isFinite(value)) return value;
  throw new UsageError(`invalid float value: '${text}'`);
}

/** A number above `above` and, where that is given, below `below`. */
export function numberAbove(above: number, below = Infinity): Reader<number> {
  return (text) => {
    const value = number(text);
    if (value > above && value < below) return value;
    const range = below === Infinity ? `above ${above}` : `above ${above} and below ${below}`;
    throw new UsageError(`invalid value: ${value} (must be ${range})`);
  };
}

/** A number within bounds. */
export function numberWithin(least: number, most = Infinity): Reader<number> {
  return (text) => _within(number(text), least, most);
}

/** Any text that is not empty. */
export function text(given: string): string {
  if (given !== "") return given;
  throw new UsageError("invalid value: '' (must not be empty)");
}

function _within(value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  const range = most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  throw new UsageError(`invalid value: ${value} (must be ${range})`);
}

/**
 * An option that must or may be given.
 *
 * @param flags as commander takes them, `-t, --task <{abnormal,acl}>`: what stands in the angle
 * brackets is shown in the usage
 * @param description one line of help
 * @param read checks and converts the argument
 */
export function option<const F extends string, T>(
  flags: F,
  description: string,
  read: Reader<T>,
): Option<F, undefined, undefined, T> {
  const made = new Option(flags, description);
  const name = _nameOf(made);
  return made.argParser((given: string) => {
    try {
      // Commander takes the next word as the argument, even if it is another option.
      if (/^-./.test(given) && !DECIMAL.test(given)) throw new UsageError("expected one argument");
      return read(given);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`argument ${name}: ${error.message}`);
    }
  });
}

/** An option that may be given several times; its value is a list. */
export function repeatedOption<const F extends string, T>(
  flags: F,
  description: string,
  read: Reader<T>,
): Option<F, undefined, undefined, T[]> {
  const once = option(flags, description, read);
  const readOnce = once.parseArg!;
  return new Option(flags, description).argParser((given: string, before?: T[]) => [
    ...before ?? [],
    readOnce(given, undefined as T),
  ]);
}

/** `-t/--task`, as argparse names an option in its messages. */
function _nameOf({ short, long }: { short?: string; long?: string }): string {
  return [short, long].filter((flag) => flag !== undefined).join("/");
}

/** The lines that show how a command is used, `usage: cli.ts synth [-h] --out DIR …`, in so many columns. */
export function usageOf(command: CommandUnknownOpts, width = 88): string {
  const begin = command.parent === null ? "usage: cli.ts" : `usage: cli.ts ${command.name()}`;
  const pieces = ["[-h]"];
  for (const { short, long, flags, mandatory } of command.options) {
    // An argument that may be left out is shown in brackets.
    const value = /<(.*)>/.exec(flags)?.[1] ?? /\[.*\]/.exec(flags)?.[0];
    const shown = [short ?? long, value].filter((piece) => piece !== undefined).join(" ");
    pieces.push(mandatory ? shown : `[${shown}]`);
  }
  for (const argument of command.registeredArguments) {
    const name = argument.name();
    if (!argument.required) pieces.push(argument.variadic ? `[${name} ...]` : `[${name}]`);
    else pieces.push(argument.variadic ? `${name} [${name} ...]` : name);
  }
  const lines = [begin];
  for (const piece of pieces) {
    if (lines.at(-1)!.length + piece.length < width) lines[lines.length - 1] += ` ${piece}`;
    else lines.push(" ".repeat(begin.length + 1) + piece);
  }
  return lines.join("\n");
}

/** Puts commander's complaint into argparse's words. */
export function inArgparsesWords(error: CommanderError, command: CommandUnknownOpts): string {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  switch (error.code) {
    case "commander.unknownOption":
      // What stands behind it may be an argument that the command takes.
      return _unrecognized(
        command.registeredArguments.length > 0 ? [quoted] : _surplus(command),
        command.options.map(({ long }) => long ?? ""),
      );
    case "commander.excessArguments":
      return _unrecognized(_surplus(command), command.options.map(({ long }) => long ?? ""));
    case "commander.optionMissingArgument": {
      const named = command.options.find(({ flags }) => flags === quoted);
      return `argument ${named === undefined ? quoted : _nameOf(named)}: expected one argument`;
    }
    case "commander.missingMandatoryOptionValue":
    case "commander.missingArgument":
      return `the following arguments are required: ${_missing(command)}`;
    default:
      return error.message.replace(/^error: /, "");
  }
}

/**
 * The error for words that are neither options nor arguments. It suggests the known name that is nearest
 * to one of them.
 */
function _unrecognized(words: readonly string[], names: readonly string[]): string {
  const said = `unrecognized arguments: ${words.join(" ")}`;
  for (const word of words) {
    const name = word.startsWith("--") ? nearest(word.replace(/=.*/s, ""), names) : undefined;
    if (name !== undefined) return `${said} (did you mean ${name}?)`;
  }
  return said;
}

/**
 * Refuses an unknown command.
 *
 * @throws {UsageError} with the nearest, or with all
 */
export function checkCommand(word: string | undefined, names: readonly string[]): void {
  if (word === undefined || word.startsWith("-") || [...names, "help"].includes(word)) return;
  const name = nearest(word, names);
  const hint = name === undefined ? `commands are ${names.join(", ")}` : `did you mean ${name}?`;
  throw new UsageError(`unrecognized arguments: ${word} (${hint})`);
}

function _surplus(command: CommandUnknownOpts): readonly string[] {
  return command.args.slice(command.registeredArguments.length);
}

/** Every missing required option and argument, since argparse names them all. */
function _missing(command: CommandUnknownOpts): string {
  const { options, registeredArguments } = command;
  const missing = options
    .filter((each) => each.mandatory && command.getOptionValue(each.attributeName()) === undefined)
    .map(_nameOf);
  const names = registeredArguments.filter(({ required }) => required).map((each) => each.name());
  return [...missing, ...names.slice(command.args.length)].join(", ");
}
