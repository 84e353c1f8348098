/**
 * What an unpickled value can be here. Python objects become records of their attributes: none of their
 * code is run.
 */

/** A value that a pickle describes. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleRecord;

/** Base of the values that stand for Python objects; a format derives its own from it. */
export abstract class PickleRecord {
  /**
   * Takes the state that a pickle gives the object after it was made; an object without this can have
   * none.
   */
  setState?(state: PickleValue): void;
}

/** A class or function of Python by name: `collections.OrderedDict`. */
export class PickleGlobal extends PickleRecord {
  /**
   * Names a class or function.
   *
   * @param name module and name
   * @param call what calling it gives, given its arguments; without it, it may be named but not
   * called
   */
  constructor(
    readonly name: string,
    readonly call?: (args: PickleValue[]) => PickleValue,
  ) {
    super();
  }
}

/** An object of a Python class that is on the list: its class's name and its attributes. */
export class PickleObject extends PickleRecord {
  /** The attributes, as far as they were given. */
  readonly state: Map<PickleValue, PickleValue> = new Map();

  /** Makes an object that has no attributes yet. */
  constructor(readonly className: string) {
    super();
  }
}

/** What a pickle may ask for. */
export interface PickleRules {
  /** What kind of file it is, for messages, as in `a weights file`. */
  readonly file: string;
  /** What to do about a file that names what is not on the list, or is damaged. */
  readonly hints: Readonly<Record<"unlisted" | "damaged", string>>;
  /** The class or function of that name; `undefined` if it is not on the list. */
  find(module: string, name: string): PickleGlobal | undefined;
  /**
   * What a persistent id, a reference out of the pickle, stands for; `undefined` if it is none
   * of the format's.
   */
  persistent(id: PickleValue): PickleValue | undefined;
  /**
   * True if the text of Python 2 may be bytes: each becomes a character, as `encoding="latin1"` has it.
   * @default false, it is UTF-8
   */
  readonly latin1?: boolean;
  /** Bounds that are other than {@linkcode PickleLimits} usually are. */
  readonly limits?: Partial<PickleLimits>;
}

/** Bounds that are far above what a file of weights or a volume needs. */
export interface PickleLimits {
  /** Bytes of one pickle. */
  bytes: number;
  /** Operations, and so values. */
  operations: number;
  /** Values on the stack at once. */
  stack: number;
  /** Lists, dictionaries, sets and objects; each takes a hundred times its byte in the pickle. */
  collections: number;
  /** Items and attributes that calls copy, all together. */
  copies: number;
  /** Characters and bytes that calls copy, all together. */
  characters: number;
}

/** The bounds of a pickle unless its rules say otherwise. */
export const PICKLE_LIMITS: Readonly<PickleLimits> = {
  bytes: 16 * 1024 * 1024,
  operations: 500_000,
  stack: 100_000,
  collections: 100_000,
  copies: 500_000,
  characters: 10_000_000,
};

/**
 * Thrown by a rule's `call` for arguments that the real function would not take; the machine adds
 * the file's name.
 */
export class PickleFault extends Error {
  /** The class's name. */
  override name = "PickleFault";
}

/** Numbers that may be keys of one collection; an optimizer's state has one for each parameter. */
const MAX_NUMBER_KEYS = 500;

/** How many numbers have become keys of a collection. */
const numberKeys = new WeakMap<object, number>();

/**
 * Counts numbers that become keys and refuses those beyond 2^53. JavaScript's hash of a number can be
 * predicted: numbers chosen to collide would cost time by the square of their count. Beyond 2^53 they
 * collide unchosen.
 */
function countKey(collection: object, key: PickleValue): void {
  if (typeof key === "bigint") throw new PickleFault("its pickle has a key beyond 2^53");
  if (typeof key !== "number") return;
  const count = (numberKeys.get(collection) ?? 0) + 1;
  if (count > MAX_NUMBER_KEYS) {
    throw new PickleFault(
      `its pickle has more than ${MAX_NUMBER_KEYS} numbers as keys in one place`,
    );
  }
  numberKeys.set(collection, count);
}

/** Sets an entry of a dictionary. All entries of a pickle are set here. */
export function setEntry(
  dictionary: Map<PickleValue, PickleValue>,
  key: PickleValue,
  value: PickleValue,
): void {
  countKey(dictionary, key);
  dictionary.set(key, value);
}

/** Adds items to a set. All items of a pickle's sets are added here. */
export function addItems(set: Set<PickleValue>, items: readonly PickleValue[]): Set<PickleValue> {
  for (const item of items) {
    countKey(set, item);
    set.add(item);
  }
  return set;
}
