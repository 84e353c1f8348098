/**
 * Reads TensorBoard event files back, to hold what the toolkit writes against what was logged.
 */
import { DataError } from "../../lib/errors.ts";
import { maskedCrc } from "../../lib/logs/tfrecord.ts";

/** A value at a step. */
export interface EventScalar {
  /** The name of the curve, such as `Train/Loss`. */
  tag: string;
  /** The value, in float32 precision. */
  value: number;
}

/** A record of an event file. */
export interface LoggedEvent {
  /** When it was logged, in seconds since 1970. */
  wallTime: number;
  /** The training step; 0 where the record has none. */
  step: number;
  /** The format, `brain.Event:2`, in the first record of a file only. */
  fileVersion?: string;
  /** The values logged at that step. */
  scalars: EventScalar[];
}

/**
 * The most events and scalars of a file together: an empty event is a few bytes in the file and more
 * than a hundred in memory. A run of 50 epochs on MRNet has some thousands.
 */
export const MAX_EVENTS = 250_000;

/** The most fields of all messages of a file: an empty one has two bytes, and each takes its time. */
const MAX_FIELDS = 2_000_000;

/** How many more of each may come. */
interface _Room {
  events: number;
  fields: number;
}

/**
 * Reads the bytes of an event file.
 *
 * Fields other than those of {@linkcode LoggedEvent} are passed over. A last record that breaks off,
 * as a killed run leaves it, is passed over too, as in TensorBoard.
 *
 * @param bytes the whole file
 * @param name the file's path as the user knows it, for messages
 * @throws {DataError} if a checksum does not match, a record is not an event, or there are more events
 *   and scalars than {@linkcode MAX_EVENTS}
 */
export function readEvents(bytes: Uint8Array, name = "event file"): LoggedEvent[] {
  const refuse = (found: string, hint = "give an event file") =>
    new DataError(`Cannot read the events of '${name}': ${found}: ${hint}`);
  const events: LoggedEvent[] = [];
  const room: _Room = { events: MAX_EVENTS, fields: MAX_FIELDS };
  for (const record of decodeRecords(bytes, name)) {
    try {
      events.push(_parseEvent(record, room));
    } catch (error) {
      if (room.events < 0 || room.fields < 0) {
        const [most, what] = room.events < 0
          ? [MAX_EVENTS, "events and scalars"]
          : [MAX_FIELDS, "fields"];
        throw refuse(`it has more than ${most} ${what}`, "give a shorter one");
      }
      if (!(error instanceof RangeError)) throw error;
      throw refuse(`record ${events.length} is not an event (${error.message})`);
    }
  }
  return events;
}

/** The length and its checksum before a record, the checksum of the data behind it. */
const HEAD_BYTES = 12;
const TAIL_BYTES = 4;

/**
 * The data of each record of a file, as views of its bytes.
 *
 * A last record that breaks off, as a killed run leaves it, is passed over, as in TensorBoard.
 *
 * @param bytes the whole file
 * @param name the file's path as the user knows it, for messages
 * @throws {DataError} if a checksum does not match
 */
export function* decodeRecords(bytes: Uint8Array, name: string): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    if (view.getUint32(at + 8, true) !== maskedCrc(bytes.subarray(at, at + 8))) {
      throw _damaged(name, `the length of the record at byte ${at} does not match its checksum`);
    }
    const start = at + HEAD_BYTES;
    const end = start + Number(view.getBigUint64(at, true));
    if (end + TAIL_BYTES > bytes.length) return;
    const data = bytes.subarray(start, end);
    if (view.getUint32(end, true) !== maskedCrc(data)) {
      throw _damaged(name, `the record at byte ${at} does not match its checksum`);
    }
    yield data;
    at = end + TAIL_BYTES;
  }
}

function _damaged(name: string, found: string): DataError {
  return new DataError(
    `Cannot read the records of '${name}': ${found}: copy it again or remove it`,
  );
}

/** The types of field in protocol buffers. */
const VARINT = 0;
const BITS_64 = 1;
const BYTES = 2;
const BITS_32 = 5;

/** A field as it is read: a number, or the bytes of text or of a nested message. */
interface _Field {
  field: number;
  value: bigint | number | Uint8Array;
}

/** The fields of a message; of those in fixed bits, double and float are the only kinds here. */
function* _fields(message: Uint8Array, room: _Room): Generator<_Field> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  };
  while (at < message.length) {
    _take(room, "fields");
    // Nearly all keys and lengths are a byte, for which big numbers are slow.
    const key = message[at] < 0x80 ? message[at++] : varint();
    const field = typeof key === "number" ? key >> 3 : Number(key >> 3n);
    const wire = typeof key === "number" ? key & 7 : Number(key & 7n);
    if (wire === VARINT) {
      yield { field, value: BigInt.asIntN(64, varint()) };
    } else if (wire === BITS_64) {
      yield { field, value: view.getFloat64(at, true) };
      at += 8;
    } else if (wire === BITS_32) {
      yield { field, value: view.getFloat32(at, true) };
      at += 4;
    } else if (wire === BYTES) {
      const length = message[at] < 0x80 ? message[at++] : Number(varint());
      if (length > message.length - at) throw new RangeError("a field is longer than its message");
      yield { field, value: message.subarray(at, at + length) };
      at += length;
    } else {
      throw new RangeError(`${wire} is not a known type of field`);
    }
  }
}

/** Counts what is about to be kept or read. */
function _take(room: _Room, what: keyof _Room): void {
  if (--room[what] < 0) throw new RangeError("there is no more room");
}

function _parseEvent(record: Uint8Array, room: _Room): LoggedEvent {
  _take(room, "events");
  const event: LoggedEvent = { wallTime: 0, step: 0, scalars: [] };
  for (const { field, value } of _fields(record, room)) {
    if (field === 1 && typeof value === "number") event.wallTime = value;
    else if (field === 2 && typeof value === "bigint") event.step = Number(value);
    else if (field === 3 && value instanceof Uint8Array) event.fileVersion = _text(value);
    else if (field === 5 && value instanceof Uint8Array) {
      // Not spread into arguments, of which there may be no more than the stack has room for.
      for (const scalar of _scalars(value, room)) {
        _take(room, "events");
        event.scalars.push(scalar);
      }
    }
  }
  return event;
}

function* _scalars(summary: Uint8Array, room: _Room): Generator<EventScalar> {
  for (const { field, value: message } of _fields(summary, room)) {
    if (field !== 1 || !(message instanceof Uint8Array)) continue;
    let tag = "";
    let scalar: number | undefined;
    for (const { field, value } of _fields(message, room)) {
      if (field === 1 && value instanceof Uint8Array) tag = _text(value);
      else if (field === 2 && typeof value === "number") scalar = value;
    }
    if (scalar !== undefined) yield { tag, value: scalar };
  }
}

/** One for all texts: making it takes longer than most of them. */
const UTF8 = new TextDecoder();

function _text(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}
