/**
 * TensorBoard event files: scalars over steps, written as TensorBoard reads them, without TensorFlow.
 *
 * Each record of the file is an `Event` in protocol buffers, which may hold a `Summary` of values; see
 * tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
import { concat } from "../bytes.ts";
import { OutputError } from "../errors.ts";
import { fileError, ifThere, join, makeFolder, syncFolder } from "../files.ts";
import { Message } from "../protobuf.ts";
import { encodeRecord } from "./tfrecord.ts";

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
    writer.#append(new Message().double(1, now).text(3, FILE_VERSION));
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
      const info = await ifThere(Deno.lstat(path));
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
    const summary = new Message().message(1, new Message().text(1, tag).float(2, value));
    this.#append(new Message().double(1, wallTime).integer(2, step).message(5, summary));
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

  #append(event: Message): void {
    this.#pending.push(encodeRecord(event.encode()));
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const bytes = concat(this.#pending.splice(0));
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
  const hint = "check that the folder can be written and the disk has room";
  const what = "write the event file";
  return fileError(error, { what, path, access: "write", error: OutputError, hint });
}
