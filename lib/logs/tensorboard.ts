/**
 * TensorBoard event files: scalars over steps, written as TensorBoard reads them, without TensorFlow.
 *
 * Each record of the file is an `Event` in protocol buffers, which may hold a `Summary` of values; see
 * tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 *
 * @module
 */
import { DataError, OutputError } from "../errors.ts";
import { fileError, join, makeFolder, syncFolder } from "../files.ts";
import { decodeRecords, encodeRecord } from "./tfrecord.ts";

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
 * Writes one event file.
 *
 * Values are kept in memory until {@linkcode EventWriter.flush}. Unlike other files of this toolkit an
 * event file grows under its own name, because TensorBoard watches it; what a run that was killed
 * leaves behind is whole up to the last flush.
 *
 * @example
 * ```ts
 * import { EventWriter } from "./tensorboard.ts";
 * const writer = await EventWriter.create(await Deno.makeTempDir());
 * writer.scalar("Train/Loss", 0.52, 1);
 * await writer.close();
 * ```
 */
export class EventWriter {
  /** The file, in the folder that was given. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #pending: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  #size = 0;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Begins a new event file. Its name carries the time and, where that is taken, a number.
   *
   * @param folder where the file will be; made if missing
   * @throws {OutputError} if the folder or the file cannot be made
   * @throws {PermissionError} if Deno may not write there
   */
  static async create(folder: string): Promise<EventWriter> {
    await makeFolder(folder);
    const now = Date.now() / 1000;
    const name = `events.out.tfevents.${String(Math.floor(now)).padStart(10, "0")}.mrnet`;
    const { path, file } = await _createFile(join(folder, name));
    const writer = new EventWriter(path, file);
    writer.#append([_double(1, now), _bytes(3, _utf8(FILE_VERSION))]);
    try {
      await writer.flush();
      await syncFolder(folder);
      return writer;
    } catch (error) {
      writer.#file.close();
      throw error;
    }
  }

  /**
   * Goes on with a file that an earlier writer has left: what lies behind `size` is cut off. Where the
   * file is gone, shorter than that or no plain file, a new one is begun beside it.
   *
   * @param folder where it is
   * @param name the file's name, as {@linkcode EventWriter.create} gives them
   * @param size how much of it stays, in bytes
   * @throws {OutputError} as {@linkcode EventWriter.create}
   */
  static async reopen(folder: string, name: string, size: number): Promise<EventWriter> {
    const path = join(folder, name);
    try {
      const info = await Deno.lstat(path).catch((error) => {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      });
      const usable = EVENT_FILE.test(name) && info?.isFile === true && info.size >= size;
      if (!usable) return await EventWriter.create(folder);
      const file = await Deno.open(path, { write: true });
      await file.truncate(size);
      await file.seek(0, Deno.SeekMode.End);
      const writer = new EventWriter(path, file);
      writer.#size = size;
      return writer;
    } catch (error) {
      throw _writeError(error, path);
    }
  }

  /** How much of the file is written, in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Flushes as {@linkcode EventWriter.flush} does, and waits until it is on the disk.
   *
   * @throws {OutputError} as {@linkcode EventWriter.flush}
   */
  async sync(): Promise<void> {
    await this.flush();
    try {
      await this.#file.sync();
    } catch (error) {
      throw _writeError(error, this.path);
    }
  }

  /**
   * Logs a value; it reaches the file with the next {@linkcode EventWriter.flush}.
   *
   * @param tag the name of the curve; a `/` groups curves
   * @param value any number, kept as float32; TensorBoard shows NaN and infinities as such
   * @param step a whole number, up to ±(2^53 − 1)
   * @param wallTime seconds since 1970, now by default
   * @throws {RangeError} if the step is not a whole number
   * @throws {Error} if the writer was closed
   */
  scalar(tag: string, value: number, step: number, wallTime: number = Date.now() / 1000): void {
    if (this.#closed) throw new Error(`Cannot log '${tag}': the event file was closed`);
    if (!Number.isSafeInteger(step)) {
      throw new RangeError(`A step must be a whole number: current value is ${step}`);
    }
    const summary = _bytes(1, [..._bytes(1, _utf8(tag)), ..._float(2, value)]);
    this.#append([_double(1, wallTime), _int64(2, step), _bytes(5, summary)]);
  }

  /**
   * Hands everything logged so far to the operating system. After a failure the rest is kept, and
   * the next flush goes on where this one stopped.
   *
   * @throws {OutputError} if the file cannot be written, for example on a full disk
   */
  flush(): Promise<void> {
    // One at a time: two that overlap would mix their records.
    const writing = this.#writing.then(() => this.#drain());
    this.#writing = writing.catch(() => {});
    return writing;
  }

  /**
   * Flushes and closes the file; closing again does nothing.
   *
   * @throws {OutputError} as {@linkcode EventWriter.flush}; the file is closed all the same
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      this.#file.close();
    }
  }

  #append(fields: number[][]): void {
    this.#pending.push(encodeRecord(Uint8Array.from(fields.flat())));
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const bytes = _joined(this.#pending.splice(0));
        let done = 0;
        try {
          while (done < bytes.length) done += await this.#file.write(bytes.subarray(done));
        } finally {
          this.#size += done;
          if (done < bytes.length) this.#pending.unshift(bytes.subarray(done));
        }
      }
    } catch (error) {
      throw _writeError(error, this.path);
    }
  }
}

/**
 * The most events and scalars of a file together: an empty event is a few bytes in the file and more
 * than a hundred in memory. A run of 50 epochs on MRNet has some thousands.
 */
export const MOST_EVENTS = 250_000;

/** The most fields of all messages of a file: an empty one has two bytes, and each takes its time. */
const MOST_FIELDS = 2_000_000;

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
 *   and scalars than {@linkcode MOST_EVENTS}
 */
export function readEvents(bytes: Uint8Array, name = "event file"): LoggedEvent[] {
  const refuse = (found: string, mend = "give an event file") =>
    new DataError(`Cannot read the events of '${name}': ${found}: ${mend}`);
  const events: LoggedEvent[] = [];
  const room: _Room = { events: MOST_EVENTS, fields: MOST_FIELDS };
  for (const record of decodeRecords(bytes, name)) {
    try {
      events.push(_parseEvent(record, room));
    } catch (error) {
      if (room.events < 0 || room.fields < 0) {
        const [most, what] = room.events < 0
          ? [MOST_EVENTS, "events and scalars"]
          : [MOST_FIELDS, "fields"];
        throw refuse(`it has more than ${most} ${what}`, "give a shorter one");
      }
      if (!(error instanceof RangeError)) throw error;
      throw refuse(`record ${events.length} is not an event (${error.message})`);
    }
  }
  return events;
}

const FILE_VERSION = "brain.Event:2";

/** The names that {@linkcode EventWriter.create} gives. */
const EVENT_FILE = /^events\.out\.tfevents\.\d+\.mrnet(\.\d+)?$/;

/** Makes a file of this name, with a number after it where the name is taken. */
async function _createFile(name: string): Promise<{ path: string; file: Deno.FsFile }> {
  for (let taken = 0;; taken++) {
    const path = taken === 0 ? name : `${name}.${taken}`;
    try {
      return { path, file: await Deno.open(path, { write: true, createNew: true }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw _writeError(error, path);
    }
  }
}

function _writeError(error: unknown, path: string): Error {
  const mend = "check that the folder can be written and the disk has room";
  const what = "write the event file";
  return fileError(error, { what, path, access: "write", error: OutputError, mend });
}

function _joined(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

// Protocol buffers: each field begins with its number and wire type in one varint.

const VARINT = 0;
const BITS_64 = 1;
const BYTES = 2;
const BITS_32 = 5;

function _varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value)];
}

function _key(field: number, wire: number): number[] {
  return _varint(BigInt(field << 3 | wire));
}

function _utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function _double(field: number, value: number): number[] {
  return [..._key(field, BITS_64), ...new Uint8Array(Float64Array.of(value).buffer)];
}

function _float(field: number, value: number): number[] {
  return [..._key(field, BITS_32), ...new Uint8Array(Float32Array.of(value).buffer)];
}

function _int64(field: number, value: number): number[] {
  return [..._key(field, VARINT), ..._varint(BigInt.asUintN(64, BigInt(value)))];
}

function _bytes(field: number, content: Iterable<number> & { length: number }): number[] {
  return [..._key(field, BYTES), ..._varint(BigInt(content.length)), ...content];
}

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
