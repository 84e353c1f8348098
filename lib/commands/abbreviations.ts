/**
 * What argparse takes and commander does not: options cut short as long as one is meant, and `-t=acl`.
 */
import { type CommandUnknownOpts, UsageError } from "./arguments.ts";

/**
 * Writes options out, so that commander takes them.
 *
 * @param args as typed, without the command's name
 * @param command whose options they are
 * @throws {UsageError} if an option is cut so short that several may be meant
 */
export function writtenOut(args: readonly string[], command: CommandUnknownOpts): string[] {
  const out: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at];
    if (arg === "--") return [...out, ...args.slice(at)];
    const [name, value] = _nameAndValue(arg);
    if (!name.startsWith("-")) {
      out.push(arg);
      continue;
    }
    const option = _meant(name, command);
    const full = option === undefined ? name : _isLong(name) ? option.long! : name;
    if (value === undefined) out.push(full);
    // Commander would take the sign for a character of the value.
    else if (_isLong(name)) out.push(`${full}=${value}`);
    else out.push(full, value);
    // What an option must have behind it is its value, whatever it looks like.
    if (option?.required === true && value === undefined && at + 1 < args.length) {
      out.push(args[++at]);
    }
  }
  return out;
}

/** An option, as far as it is looked at here. */
type Known = Pick<CommandUnknownOpts["options"][number], "short" | "long" | "required">;

const HELP: Known = { short: "-h", long: "--help", required: false };

/** The option that is meant; `undefined` if there is none. */
function _meant(name: string, { options }: CommandUnknownOpts): Known | undefined {
  const known: Known[] = [...options, HELP];
  const exact = known.find(({ short, long }) => name === short || name === long);
  if (exact !== undefined || !_isLong(name)) return exact;
  const begun = known.filter(({ long }) => long?.startsWith(name));
  if (begun.length < 2) return begun[0];
  const names = begun.map(({ long }) => long).join(", ");
  throw new UsageError(`ambiguous option: ${name} could match ${names}`);
}

const _isLong = (name: string) => name.startsWith("--") && name.length > 2;

/** `--name=value` and `-n=value` in two words; anything else in one. */
function _nameAndValue(arg: string): [name: string, value?: string] {
  const [, name, value] = /^(--[^=]+|-[^-=])=(.*)$/s.exec(arg) ?? [];
  return name === undefined ? [arg] : [name, value];
}
