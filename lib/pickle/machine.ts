/** The machine that a pickle is a program for: its stack and its memo, bounded. */
import { Buffer } from "node:buffer";
import { quoted } from "../quoted.ts";
import type { PickleReader } from "./reader.ts";
import {
  addItems,
  PICKLE_LIMITS,
  PickleFault,
  PickleGlobal,
  type PickleLimits,
  PickleObject,
  PickleRecord,
  type PickleRules,
  type PickleValue,
  setEntry,
} from "./values.ts";

/** One for all texts: making it takes longer than most of them. */
const UTF8 = new TextDecoder();

/** Stands on the stack where a group of values begins. */
const MARK = Symbol("mark");

/** Stack and memo of one pickle; a pickle that misuses them is refused with {@linkcode PickleFault}. */
export class PickleMachine {
  /** The bytes of the pickle. */
  readonly reader: PickleReader;
  /** The bounds of this pickle. */
  readonly limits: Readonly<PickleLimits>;
  readonly #rules: PickleRules;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #collections = 0;
  #copies = 0;
  #characters = 0;

  /**
   * @param reader the bytes of the pickle
   * @param rules what it may name, and what calls of that give
   */
  constructor(reader: PickleReader, rules: PickleRules) {
    this.reader = reader;
    this.#rules = rules;
    this.limits = { ...PICKLE_LIMITS, ...rules.limits };
  }

  /** How many values and marks are on the stack. */
  get depth(): number {
    return this.#stack.length;
  }

  /** How many values are remembered. */
  get remembered(): number {
    return this.#memo.size;
  }

  /** Pushes a value that takes no more than its bytes in the pickle. */
  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Pushes the mark that a group of values begins with. */
  pushMark(): void {
    this.#stack.push(MARK);
  }

  /** Pushes a collection or an object that was made just now. */
  pushNew(value: PickleValue): void {
    if (++this.#collections > this.limits.collections) {
      throw new PickleFault(`its pickle makes more than ${this.limits.collections} collections`);
    }
    this.#stack.push(value);
  }

  /** The last value of the stack, which goes. */
  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw new PickleFault("its pickle is out of step");
    return value;
  }

  /** The last values of the stack, in the order in which they were pushed. */
  popSeveral(count: number): PickleValue[] {
    const values: PickleValue[] = [];
    while (values.length < count) values.unshift(this.pop());
    return values;
  }

  /** The values since the last mark, which goes too. */
  popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new PickleFault("its pickle is out of step");
    const values = this.#stack.splice(at) as PickleValue[];
    values.shift();
    return values;
  }

  /** The last value of the stack, which stays. */
  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new PickleFault("its pickle is out of step");
    return value;
  }

  /**
   * Remembers the top under a number. Programs count up from 0, so a large number is refused: numbers of
   * any size could be chosen to collide in the memo.
   */
  keep(index: number): void {
    if (index >= this.limits.operations) {
      throw new PickleFault(`its pickle keeps a value under the number ${index}`);
    }
    this.#memo.set(index, this.top());
  }

  /** A value that was remembered. */
  recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleFault("its pickle recalls what it never kept");
    return value;
  }

  /** So many bytes of the pickle as text. */
  text(length: number): string {
    return UTF8.decode(this.reader.bytes(length));
  }

  /** So many bytes of the pickle as text of Python 2, which did not tell text from bytes. */
  textOfPython2(length: number): string {
    if (this.#rules.latin1 !== true) return this.text(length);
    const { buffer, byteOffset } = this.reader.bytes(length);
    return Buffer.from(buffer, byteOffset, length).toString("latin1");
  }

  /** A whole number in two's complement, low byte first. */
  long(length: number): number | bigint {
    if (length > 64) throw new PickleFault(`its pickle has a number of ${length} bytes`);
    let value = 0n;
    const bytes = this.reader.bytes(length);
    for (let at = length - 1; at >= 0; at--) value = value << 8n | BigInt(bytes[at]);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Appends to the list at the top. */
  append(items: PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleFault("its pickle appends to what is no list");
    for (const item of items) list.push(item);
  }

  /** Sets entries of a dictionary: keys and values in turn. */
  setItems(target: PickleValue, items: PickleValue[]): PickleValue {
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw new PickleFault("its pickle sets entries of what is no dictionary");
    }
    for (let at = 0; at < items.length; at += 2) setEntry(target, items[at], items[at + 1]);
    return target;
  }

  /** A class or a function by its name, if it is on the list. */
  global(module: string, name: string): PickleGlobal {
    const known = this.#rules.find(module, name);
    if (known !== undefined) return known;
    const found = `it asks for ${quoted(`${module}.${name}`)}, which is not on the list of ` +
      `what ${this.#rules.file} may contain`;
    throw this.reader.source.failure(found, `nothing was run; ${this.#rules.hints.unlisted}`);
  }

  /** What calling a class or a function gives. */
  call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) {
      throw new PickleFault("its pickle calls what cannot be called");
    }
    if (callee.call === undefined) {
      throw new PickleFault(`its pickle calls ${quoted(callee.name)}, which is only a name here`);
    }
    args.forEach((arg) => this.#charge(arg));
    return callee.call(args);
  }

  /** Counts what is copied: through the memo every operation could copy the same large value. */
  #charge(value: PickleValue): void {
    if (typeof value === "string" || value instanceof Uint8Array) {
      this.#characters += value.length;
    } else if (Array.isArray(value)) {
      this.#copies += value.length;
    } else if (value instanceof Map || value instanceof Set) {
      this.#copies += value.size;
    }
    if (this.#copies > this.limits.copies || this.#characters > this.limits.characters) {
      throw new PickleFault("its pickle copies without end");
    }
  }

  /**
   * Gives an object its attributes; those of a dictionary or a set have no bearing on weights. A
   * tensor's would: they could give it other values.
   */
  build(state: PickleValue): void {
    const target = this.top();
    if (target instanceof PickleRecord && target.setState !== undefined) {
      return target.setState(state);
    }
    if (!(target instanceof PickleObject)) {
      if (target instanceof Map || target instanceof Set) return;
      throw new PickleFault("its pickle gives attributes to what can have none");
    }
    // With slots, the state is a pair: the usual attributes and the slots' values.
    for (const attributes of Array.isArray(state) ? state.slice(0, 2) : [state]) {
      if (!(attributes instanceof Map)) continue;
      this.#charge(attributes);
      for (const [name, value] of attributes) setEntry(target.state, name, value);
    }
  }

  /** Drops the last value or mark of the stack. */
  drop(): void {
    if (this.#stack.pop() === undefined) {
      throw new PickleFault("its pickle drops what is not there");
    }
  }

  /** Adds to the set at the top. */
  add(items: PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw new PickleFault("its pickle adds to what is no set");
    addItems(set, items);
  }

  /** What a reference to something outside of the pickle stands for. */
  persistent(id: PickleValue): PickleValue {
    const value = this.#rules.persistent(id);
    if (value === undefined) throw new PickleFault("its pickle refers to something unknown");
    return value;
  }
}
