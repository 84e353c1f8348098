/**
 * Reads Python's pickles without Python, and without running what they ask for.
 *
 * A pickle is a program for a small stack machine that may name any class or function of Python and
 * call it. This machine knows the operations of protocols 2 to 5; what may be named and what a call
 * gives is a list that the caller hands in. A name that is not on the list ends the reading.
 * The work and the memory are bounded by the size of the pickle and by {@linkcode PickleLimits}.
 *
 * The operations are described in Python's `pickletools`,
 * https://github.com/python/cpython/blob/3.12/Lib/pickletools.py.
 *
 * @module
 */
import { PickleReader } from "./pickle_reader.ts";
import {
  addItems,
  PickleFault,
  PickleGlobal,
  PickleObject,
  type PickleRules,
  type PickleValue,
  setEntry,
} from "./pickle_values.ts";
import type { Source } from "../source.ts";
import { quoted } from "../../../quoted.ts";
import { weightsError } from "../tensors.ts";

/** Bounds that no honest file of weights comes near. */
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
  /** Characters that calls copy, all together. */
  characters: number;
}

const LIMITS: PickleLimits = {
  bytes: 16 * 1024 * 1024,
  operations: 500_000,
  stack: 100_000,
  collections: 100_000,
  copies: 500_000,
  characters: 10_000_000,
};

/** Where a pickle lies. */
export interface PickleRange {
  /** Its first byte. */
  start: number;
  /** The byte after the last it may use; what follows its own end is not touched. */
  end: number;
}

/**
 * Reads one pickle.
 *
 * @returns its value, and the byte after its last
 * @throws {WeightsError} where it is damaged, too large, or names what is not on the list
 */
export function readPickle(
  source: Source,
  range: PickleRange,
  rules: PickleRules,
): { value: PickleValue; end: number } {
  const end = Math.min(range.end, range.start + LIMITS.bytes);
  const reader = new PickleReader(source, range.start, end);
  try {
    return { value: new Machine(reader, rules).run(), end: reader.position };
  } catch (error) {
    if (!(error instanceof PickleFault)) throw error;
    const mend = "it is damaged or no PyTorch file, save it again";
    throw weightsError(source.name, error.message, mend);
  }
}

/** One for all texts: making it takes longer than most of them. */
const UTF8 = new TextDecoder();

/** Stands on the stack where a group of values begins. */
const MARK = Symbol("mark");

class Machine {
  private readonly stack: (PickleValue | typeof MARK)[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private collections = 0;
  private copies = 0;
  private characters = 0;

  constructor(private readonly reader: PickleReader, private readonly rules: PickleRules) {}

  run(): PickleValue {
    for (let count = 0; count < LIMITS.operations; count++) {
      const operation = this.reader.uint8();
      if (operation === 0x2e) { // STOP
        const value = this._pop();
        if (this.stack.length > 0) throw new PickleFault("its pickle leaves values behind");
        return value;
      }
      this._step(operation);
      if (this.stack.length > LIMITS.stack) throw new PickleFault("its pickle piles up values");
    }
    throw new PickleFault(`its pickle has more than ${LIMITS.operations} operations`);
  }

  private _step(operation: number): void {
    const { reader, stack } = this;
    switch (operation) {
      // Framing
      case 0x80: { // PROTO
        const protocol = reader.uint8();
        if (protocol < 2 || protocol > 5) {
          throw new PickleFault(`it has the pickle protocol ${protocol}, known are 2 to 5`);
        }
        return;
      }
      case 0x95: // FRAME
        if (reader.uint64() > reader.remaining) throw new PickleFault("its pickle breaks off");
        return;
      // Constants and numbers
      case 0x4e: // NONE
        return void stack.push(null);
      case 0x88: // NEWTRUE
        return void stack.push(true);
      case 0x89: // NEWFALSE
        return void stack.push(false);
      case 0x4a: // BININT
        return void stack.push(reader.int32());
      case 0x4b: // BININT1
        return void stack.push(reader.uint8());
      case 0x4d: // BININT2
        return void stack.push(reader.uint16());
      case 0x8a: // LONG1
        return void stack.push(this._long(reader.uint8()));
      case 0x8b: // LONG4
        return void stack.push(this._long(reader.uint32()));
      case 0x47: // BINFLOAT
        return void stack.push(reader.float64());
      // Text and bytes
      case 0x58: // BINUNICODE
        return void stack.push(this._text(reader.uint32()));
      case 0x8c: // SHORT_BINUNICODE
        return void stack.push(this._text(reader.uint8()));
      case 0x8d: // BINUNICODE8
        return void stack.push(this._text(reader.uint64()));
      case 0x54: // BINSTRING, the text of Python 2
        return void stack.push(this._text(reader.uint32()));
      case 0x55: // SHORT_BINSTRING
        return void stack.push(this._text(reader.uint8()));
      case 0x42: // BINBYTES
        return void stack.push(reader.bytes(reader.uint32()).slice());
      case 0x43: // SHORT_BINBYTES
        return void stack.push(reader.bytes(reader.uint8()).slice());
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return void stack.push(reader.bytes(reader.uint64()).slice());
      // Collections
      case 0x28: // MARK
        return void stack.push(MARK);
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return this._pushNew([]);
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return this._pushNew(this._popToMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this._pushNew(this._popSeveral(operation - 0x84));
      case 0x7d: // EMPTY_DICT
        return this._pushNew(new Map());
      case 0x64: // DICT
        return this._pushNew(this._setItems(new Map(), this._popToMark()));
      case 0x8f: // EMPTY_SET
        return this._pushNew(new Set());
      case 0x91: // FROZENSET
        return this._pushNew(addItems(new Set(), this._popToMark()));
      case 0x61: // APPEND
        return this._append([this._pop()]);
      case 0x65: // APPENDS
        return this._append(this._popToMark());
      case 0x73: { // SETITEM
        const items = this._popSeveral(2);
        return void this._setItems(this._top(), items);
      }
      case 0x75: { // SETITEMS
        const items = this._popToMark();
        return void this._setItems(this._top(), items);
      }
      case 0x90: { // ADDITEMS
        const items = this._popToMark();
        const set = this._top();
        if (!(set instanceof Set)) throw new PickleFault("its pickle adds to what is no set");
        return void addItems(set, items);
      }
      // Stack and memo
      case 0x30: // POP
        if (stack.pop() === undefined) throw new PickleFault("its pickle drops what is not there");
        return;
      case 0x31: // POP_MARK
        return void this._popToMark();
      case 0x32: // DUP
        return void stack.push(this._top());
      case 0x71: // BINPUT
        return this._keep(reader.uint8());
      case 0x72: // LONG_BINPUT
        return this._keep(reader.uint32());
      case 0x94: // MEMOIZE
        return this._keep(this.memo.size);
      case 0x68: // BINGET
        return void stack.push(this._recall(reader.uint8()));
      case 0x6a: // LONG_BINGET
        return void stack.push(this._recall(reader.uint32()));
      // Classes, functions and objects
      case 0x63: { // GLOBAL
        const module = reader.line();
        return void stack.push(this._global(module, reader.line()));
      }
      case 0x93: { // STACK_GLOBAL
        const [module, name] = this._popSeveral(2);
        if (typeof module !== "string" || typeof name !== "string") {
          throw new PickleFault("its pickle names a class by what is no text");
        }
        return void stack.push(this._global(module, name));
      }
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const [callee, args] = this._popSeveral(2);
        return this._pushNew(this._call(callee, args));
      }
      case 0x92: { // NEWOBJ_EX
        const [callee, args] = this._popSeveral(3);
        return this._pushNew(this._call(callee, args));
      }
      case 0x62: // BUILD
        return this._build(this._pop());
      case 0x51: { // BINPERSID
        const value = this.rules.persistent(this._pop());
        if (value === undefined) throw new PickleFault("its pickle refers to something unknown");
        return void stack.push(value);
      }
      default: {
        const code = operation.toString(16).padStart(2, "0");
        throw new PickleFault(`its pickle has the operation 0x${code}, which torch never writes`);
      }
    }
  }

  /** Pushes a collection or an object that was made just now. */
  private _pushNew(value: PickleValue): void {
    if (++this.collections > LIMITS.collections) {
      throw new PickleFault(`its pickle makes more than ${LIMITS.collections} collections`);
    }
    this.stack.push(value);
  }

  private _pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw new PickleFault("its pickle is out of step");
    return value;
  }

  /** The last values of the stack, in the order in which they were pushed. */
  private _popSeveral(count: number): PickleValue[] {
    const values: PickleValue[] = [];
    while (values.length < count) values.unshift(this._pop());
    return values;
  }

  /** The values since the last mark, which goes too. */
  private _popToMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw new PickleFault("its pickle is out of step");
    const values = this.stack.splice(at) as PickleValue[];
    values.shift();
    return values;
  }

  private _top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined || value === MARK) throw new PickleFault("its pickle is out of step");
    return value;
  }

  /** Remembers the top. Programs count up from 0; numbers of any size could be chosen to collide. */
  private _keep(index: number): void {
    if (index >= LIMITS.operations) {
      throw new PickleFault(`its pickle keeps a value under the number ${index}`);
    }
    this.memo.set(index, this._top());
  }

  private _recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleFault("its pickle recalls what it never kept");
    return value;
  }

  private _text(length: number): string {
    return UTF8.decode(this.reader.bytes(length));
  }

  /** A whole number in two's complement, low byte first. */
  private _long(length: number): number | bigint {
    if (length > 64) throw new PickleFault(`its pickle has a number of ${length} bytes`);
    let value = 0n;
    const bytes = this.reader.bytes(length);
    for (let at = length - 1; at >= 0; at--) value = value << 8n | BigInt(bytes[at]);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private _append(items: PickleValue[]): void {
    const list = this._top();
    if (!Array.isArray(list)) throw new PickleFault("its pickle appends to what is no list");
    for (const item of items) list.push(item);
  }

  private _setItems(target: PickleValue, items: PickleValue[]): PickleValue {
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw new PickleFault("its pickle sets entries of what is no dictionary");
    }
    for (let at = 0; at < items.length; at += 2) setEntry(target, items[at], items[at + 1]);
    return target;
  }

  private _global(module: string, name: string): PickleGlobal {
    const known = this.rules.find(module, name);
    if (known !== undefined) return known;
    const found = `it asks for ${quoted(`${module}.${name}`)}, which is not on the list of ` +
      "what a weights file may contain";
    const mend = "nothing was run; save model.state_dict() alone, if you trust where it comes from";
    throw weightsError(this.reader.source.name, found, mend);
  }

  private _call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) {
      throw new PickleFault("its pickle calls what cannot be called");
    }
    if (callee.call === undefined) {
      throw new PickleFault(`its pickle calls ${quoted(callee.name)}, which is only a name here`);
    }
    args.forEach((arg) => this._charge(arg));
    return callee.call(args);
  }

  /** Counts what is copied: the memo lets one large value be copied by every operation. */
  private _charge(value: PickleValue): void {
    if (typeof value === "string" || value instanceof Uint8Array) {
      this.characters += value.length;
    } else if (Array.isArray(value)) {
      this.copies += value.length;
    } else if (value instanceof Map || value instanceof Set) {
      this.copies += value.size;
    }
    if (this.copies > LIMITS.copies || this.characters > LIMITS.characters) {
      throw new PickleFault("its pickle copies without end");
    }
  }

  /**
   * Gives an object its attributes; those of a dictionary or a set have no bearing on weights. A
   * tensor's would: they could give it other values.
   */
  private _build(state: PickleValue): void {
    const target = this._top();
    if (!(target instanceof PickleObject)) {
      if (target instanceof Map || target instanceof Set) return;
      throw new PickleFault("its pickle gives attributes to what can have none");
    }
    // With slots, the state is a pair: the usual attributes and the slots' values.
    for (const part of Array.isArray(state) ? state.slice(0, 2) : [state]) {
      if (!(part instanceof Map)) continue;
      this._charge(part);
      for (const [name, value] of part) setEntry(target.state, name, value);
    }
  }
}
