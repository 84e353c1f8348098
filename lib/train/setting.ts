/**
 * The form of a row in the table of settings, and the checks of its values. A script, a file and the
 * command line are held to the same checks.
 */

/** Whose option a setting is: the training loop's, which checks it; a run's; or the command line's. */
export type Owner = "loop" | "run" | "command";

/** A row of the table. */
export interface Setting<T, O extends Owner> {
  /** Where it is used and kept. */
  readonly use: SettingUse & { readonly of: O };
  /** The name and argument on the command line; a run's files use the same name. */
  readonly flag: string;
  /** A line of help. */
  readonly help: string;
  /** What it may be. */
  readonly check: CheckOf<T>;
  /** The value if neither an option nor the recipe gives one. */
  readonly default?: T;
  /** How the help writes the default. */
  readonly shown?: string;
}

/** Where a setting is used and kept. */
export interface SettingUse {
  /** Whose option it is. */
  readonly of: Owner;
  /** Whether the command line must have it. */
  readonly required?: boolean;
  /** Whether `run_all` does without it, or has its own. */
  readonly single?: boolean;
  /**
   * Whether `config.json` and the state keep it. A resumed run must have the same `fixed` settings, and
   * may have other `free` ones; `noted` ones are kept for readers of the file only.
   * @default it is not kept
   */
  readonly kept?: "fixed" | "free" | "noted";
  /** Whether files leave it out at its default, as files older than the setting do. */
  readonly optional?: boolean;
  /**
   * Whether the outcome of a training depends on it; `run_all` then continues only with the same value.
   * The folder of the models decides nothing. Nor does leaving exams out, because they are listed.
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
  /** The most that the command line takes; a script may give more. */
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

/** Any text that is not empty. */
export interface TextCheck {
  kind: "text";
}

/** A value of a special form. */
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

/** The check that suits a type; any other check is a compile error. */
export type CheckOf<T> = [T] extends [boolean] ? FlagCheck
  : [T] extends [number] ? NumberCheck
  : ChoiceCheck<T> | FormCheck<T> | TextCheck;

/** Any of the checks. */
export type Check = ChoiceCheck | NumberCheck | FlagCheck | TextCheck | FormCheck;

/** The longest text that is read from a file, in characters. */
const MAX_TEXT = 1000;

/** Whether a script's value is allowed. */
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
 * Whether a file's value is of the setting's kind. The range of a number is checked later, where it is
 * used.
 */
export function isOfKind(check: Check, value: unknown): boolean {
  if (check.kind === "number") return Number.isFinite(value);
  return check.kind === "text" ? isShortText(value) : fits(check, value);
}

/** Whether a file's value is a text that can be shown. */
export function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

/** What a script must give, to follow the word `give`: `a number above 0 and below 1`. */
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
