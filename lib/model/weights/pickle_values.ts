/**
 * What an unpickled value can be here. Python objects become inert records: nothing of theirs is
 * ever run.
 *
 * @module
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
export abstract class PickleRecord {}

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
  /** The class or function of that name; `undefined` where it is not on the list. */
  find(module: string, name: string): PickleGlobal | undefined;
  /**
   * What a persistent id, a reference out of the pickle, stands for; `undefined` where it is none
   * of the format's.
   */
  persistent(id: PickleValue): PickleValue | undefined;
}

/**
 * Thrown by a rule's `call` for arguments that the real function would not take; the machine adds
 * the file's name.
 */
export class PickleFault extends Error {
  /** The class's name. */
  override name = "PickleFault";
}
