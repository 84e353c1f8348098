/**
 * What the table of settings says of each, and how a value is checked by it: where a script gives it
 * and where a file says it. The command line reads text by the same checks.
 *
 * @module
 */

/** Whose option a setting is: the training loop's, which checks it; a run's; or the command line's. */
export type Owner = "loop" | "run" | "command";

/** A row of the table. */
export interface Setting<T, O extends Owner> {
  /** Where it counts. */
  readonly use: SettingUse & { readonly of: O };
  /** The command line's name and argument; the files of a run have it under the same name. */
  readonly flag: string;
  /** A line of help. */
  readonly help: string;
  /** What it may be. */
  readonly check: CheckOf<T>;
  /** What it is where nothing else is said and no recipe says it. */
  readonly default?: T;
  /** How the help writes the default. */
  readonly shown?: string;
}

/** Where a setting counts. */
export interface SettingUse {
  /** Whose option it is. */
  readonly of: Owner;
  /** Whether the command line must have it. */
  readonly required?: boolean;
  /** Whether `run_all` is without it, or has one of its own. */
  readonly single?: boolean;
  /**
   * Whether `config.json` and the state keep it: `fixed` is what a resumed run must have as it was,
   * `free` may be another then, and `noted` is only kept for who reads the file.
   * @default it is not kept
   */
  readonly kept?: "fixed" | "free" | "noted";
  /** Whether files are without it at its default, as are all of before there was such a setting. */
  readonly optional?: boolean;
  /**
   * Whether what a training comes to depends on it, so that `run_all` goes on only with the same. Where
   * the models are kept decides nothing; neither does which exams may be left out, for these are listed.
   * @default true if it is `fixed` or `free`
   */
  readonly decides?: boolean;
}

/** A row, whatever its setting's type. */
export interface AnySetting extends Omit<Setting<unknown, Owner>, "check"> {
  readonly check: Check;
}

/** One of a few words. */
export interface ChoiceCheck<T = unknown> {
  kind: "choice";
  choices: readonly T[];
  /**
   * The words that the command line takes, and what each stands for.
   * @default the choices
   */
  typed?: Readonly<Record<string, T>>;
}

/** A number within bounds. */
export interface NumberCheck {
  kind: "number";
  /** Whether it is a whole number. */
  whole?: boolean;
  /** It is at least this. */
  least?: number;
  /** It is at most this. */
  most?: number;
  /** It is more than this. */
  above?: number;
  /** It is less than this. */
  below?: number;
  /** The command line takes no more than this, where a script may give more. */
  mostTyped?: number;
  /**
   * What it is, in words.
   * @default "a number", or "a whole number"
   */
  what?: string;
}

/** Yes or no. */
export interface FlagCheck {
  kind: "flag";
}

/** Any text but none at all. */
export interface TextCheck {
  kind: "text";
}

/** Something with a form of its own. */
export interface FormCheck<T = unknown> {
  kind: "form";
  /** Reads it from text; `undefined` if the text is none. */
  parse: (text: string) => T | undefined;
  /** Whether a value is one. */
  fits: (value: unknown) => boolean;
  /** What it must be, in words. */
  rule: string;
  /** The words before the rule on the command line. */
  verb: "must be" | "use";
}

/** The check that suits a type: a setting with a check of another type is an error of the compiler. */
export type CheckOf<T> = [T] extends [boolean] ? FlagCheck
  : [T] extends [number] ? NumberCheck
  : ChoiceCheck<T> | FormCheck<T> | TextCheck;

/** Any of the checks. */
export type Check = ChoiceCheck | NumberCheck | FlagCheck | TextCheck | FormCheck;

/** The longest text that is taken from a file, in characters. */
const MAX_TEXT = 1000;

/** Whether a value that a script gives is what a setting may be. */
export function fits(check: Check, value: unknown): boolean {
  switch (check.kind) {
    case "choice":
      return check.choices.includes(value);
    case "number":
      return _isNumber(check, value);
    case "flag":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && value !== "";
    case "form":
      return check.fits(value);
    default:
      return check satisfies never;
  }
}

/**
 * Whether a value that a file holds is of the kind that a setting is; in which range a number must be
 * is checked where it is used.
 */
export function isOfKind(check: Check, value: unknown): boolean {
  if (check.kind === "number") return Number.isFinite(value);
  return check.kind === "text" ? isShortText(value) : fits(check, value);
}

/** Whether a value that a file holds is a text that can be shown. */
export function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

/** What a script has to give, behind `give`; numbers are `a number above 0 and below 1`. */
export function ruleOf(check: Check): string {
  switch (check.kind) {
    case "choice":
      return `one of ${check.choices.join(", ")}`;
    case "number":
      return _range(check);
    case "flag":
      return "true or false";
    case "text":
      return "a text that is not empty";
    case "form":
      return check.rule;
    default:
      return check satisfies never;
  }
}

function _isNumber(check: NumberCheck, value: unknown): boolean {
  const { whole = false, least = -Infinity, most = Infinity } = check;
  const { above = -Infinity, below = Infinity } = check;
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if (whole && !Number.isSafeInteger(value)) return false;
  return value >= least && value <= most && value > above && value < below;
}

function _range({ whole = false, least, most, above, below, what }: NumberCheck): string {
  const named = what ?? (whole ? "a whole number" : "a number");
  if (above !== undefined) {
    return below === undefined
      ? `${named} above ${above}`
      : `${named} above ${above} and below ${below}`;
  }
  if (most !== undefined) return `${named} of ${least} to ${most}`;
  return least === 0 ? `${named} of 0 or more` : `${named} of at least ${least}`;
}
