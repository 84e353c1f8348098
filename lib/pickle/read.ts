/**
 * Reads Python's pickles without Python, and without running what they ask for.
 *
 * A pickle is a program for a small stack machine that may name any class or function of Python and
 * call it. This machine knows the operations of protocols 2 to 5; what may be named and what a call
 * gives is a list that the caller hands in. A name that is not on the list ends the reading.
 * The work and the memory are bounded by the size of the pickle and by `PICKLE_LIMITS`.
 *
 * The operations are described in Python's `pickletools`,
 * https://github.com/python/cpython/blob/3.12/Lib/pickletools.py.
 */
import type { Source } from "../source.ts";
import { PickleMachine } from "./machine.ts";
import { PickleReader } from "./reader.ts";
import { addItems, PICKLE_LIMITS, PickleFault } from "./values.ts";
import type { PickleRules, PickleValue } from "./values.ts";

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
 * @throws the failure of the source, if it is damaged, too large, or names what is not on the list
 */
export function readPickle(
  source: Source,
  range: PickleRange,
  rules: PickleRules,
): { value: PickleValue; end: number } {
  const end = Math.min(range.end, range.start + (rules.limits?.bytes ?? PICKLE_LIMITS.bytes));
  const reader = new PickleReader(source, range.start, end);
  try {
    return { value: _run(new PickleMachine(reader, rules)), end: reader.position };
  } catch (error) {
    if (!(error instanceof PickleFault)) throw error;
    throw source.failure(error.message, rules.hints.damaged);
  }
}

/** Ends a pickle. */
const STOP = 0x2e;

/** Runs a pickle to its end; its value is what is left on the stack. */
function _run(machine: PickleMachine): PickleValue {
  for (let count = 0; count < machine.limits.operations; count++) {
    const code = machine.reader.uint8();
    if (code === STOP) {
      const value = machine.pop();
      if (machine.depth > 0) throw new PickleFault("its pickle leaves values behind");
      return value;
    }
    const operation = OPERATIONS.get(code);
    if (operation === undefined) {
      const shown = code.toString(16).padStart(2, "0");
      throw new PickleFault(`its pickle has the operation 0x${shown}, which is not read`);
    }
    operation(machine);
    if (machine.depth > machine.limits.stack) throw new PickleFault("its pickle piles up values");
  }
  throw new PickleFault(`its pickle has more than ${machine.limits.operations} operations`);
}

/** What an operation does, the names behind being those of `pickletools`. */
const OPERATIONS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  // Framing
  [0x80, _checkProtocol], // PROTO
  [0x95, _checkFrame], // FRAME
  // Constants and numbers
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.reader.int32())], // BININT
  [0x4b, (m) => m.push(m.reader.uint8())], // BININT1
  [0x4d, (m) => m.push(m.reader.uint16())], // BININT2
  [0x8a, (m) => m.push(m.long(m.reader.uint8()))], // LONG1
  [0x8b, (m) => m.push(m.long(m.reader.uint32()))], // LONG4
  [0x47, (m) => m.push(m.reader.float64())], // BINFLOAT
  // Text and bytes
  [0x58, (m) => m.push(m.text(m.reader.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.reader.uint8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.reader.uint64()))], // BINUNICODE8
  [0x54, (m) => m.push(m.textOfPython2(m.reader.uint32()))], // BINSTRING, the text of Python 2
  [0x55, (m) => m.push(m.textOfPython2(m.reader.uint8()))], // SHORT_BINSTRING
  [0x42, (m) => m.push(m.reader.bytes(m.reader.uint32()).slice())], // BINBYTES
  [0x43, (m) => m.push(m.reader.bytes(m.reader.uint8()).slice())], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.reader.bytes(m.reader.uint64()).slice())], // BINBYTES8
  [0x96, (m) => m.push(m.reader.bytes(m.reader.uint64()).slice())], // BYTEARRAY8
  // Collections
  [0x28, (m) => m.pushMark()], // MARK
  [0x29, (m) => m.pushNew([])], // EMPTY_TUPLE
  [0x5d, (m) => m.pushNew([])], // EMPTY_LIST
  [0x74, (m) => m.pushNew(m.popToMark())], // TUPLE
  [0x6c, (m) => m.pushNew(m.popToMark())], // LIST
  [0x85, (m) => m.pushNew(m.popSeveral(1))], // TUPLE1
  [0x86, (m) => m.pushNew(m.popSeveral(2))], // TUPLE2
  [0x87, (m) => m.pushNew(m.popSeveral(3))], // TUPLE3
  [0x7d, (m) => m.pushNew(new Map())], // EMPTY_DICT
  [0x64, (m) => m.pushNew(m.setItems(new Map(), m.popToMark()))], // DICT
  [0x8f, (m) => m.pushNew(new Set())], // EMPTY_SET
  [0x91, (m) => m.pushNew(addItems(new Set(), m.popToMark()))], // FROZENSET
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popToMark())], // APPENDS
  [0x73, (m) => _setItems(m, m.popSeveral(2))], // SETITEM
  [0x75, (m) => _setItems(m, m.popToMark())], // SETITEMS
  [0x90, (m) => m.add(m.popToMark())], // ADDITEMS
  // Stack and memo
  [0x30, (m) => m.drop()], // POP
  [0x31, (m) => m.popToMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x71, (m) => m.keep(m.reader.uint8())], // BINPUT
  [0x72, (m) => m.keep(m.reader.uint32())], // LONG_BINPUT
  [0x94, (m) => m.keep(m.remembered)], // MEMOIZE
  [0x68, (m) => m.push(m.recall(m.reader.uint8()))], // BINGET
  [0x6a, (m) => m.push(m.recall(m.reader.uint32()))], // LONG_BINGET
  // Classes, functions and objects
  [0x63, (m) => m.push(m.global(m.reader.line(), m.reader.line()))], // GLOBAL
  [0x93, _stackGlobal], // STACK_GLOBAL
  [0x52, (m) => _call(m, m.popSeveral(2))], // REDUCE
  [0x81, (m) => _call(m, m.popSeveral(2))], // NEWOBJ
  [0x92, (m) => _call(m, m.popSeveral(3))], // NEWOBJ_EX; arguments by name have no bearing
  [0x62, (m) => m.build(m.pop())], // BUILD
  [0x51, (m) => m.push(m.persistent(m.pop()))], // BINPERSID
]);

function _checkProtocol({ reader }: PickleMachine): void {
  const protocol = reader.uint8();
  if (protocol >= 2 && protocol <= 5) return;
  throw new PickleFault(`it has the pickle protocol ${protocol}, known are 2 to 5`);
}

function _checkFrame({ reader }: PickleMachine): void {
  if (reader.uint64() > reader.remaining) throw new PickleFault("its pickle breaks off");
}

/** The items are off the stack before the dictionary below them is looked at. */
function _setItems(machine: PickleMachine, items: PickleValue[]): void {
  machine.setItems(machine.top(), items);
}

function _stackGlobal(machine: PickleMachine): void {
  const [module, name] = machine.popSeveral(2);
  if (typeof module !== "string" || typeof name !== "string") {
    throw new PickleFault("its pickle names a class by what is no text");
  }
  machine.push(machine.global(module, name));
}

function _call(machine: PickleMachine, [callee, args]: PickleValue[]): void {
  machine.pushNew(machine.call(callee, args));
}
