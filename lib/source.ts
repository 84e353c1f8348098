/**
 * Bytes that can be read from anywhere: a file on disk, of which only the ranges that are needed
 * come into memory, or bytes that are there already.
 *
 * Reading is synchronous: a header decides what is read next, and the ranges are few and local.
 */
import type { MRNetError } from "./errors.ts";
import { fileError } from "./files.ts";

/** What a source is read for: it decides how a failure reads. */
export interface SourceUse {
  /** The beginning of the message, such as `read weights`. */
  what: string;
  /** The class of the error. */
  error: new (message: string) => MRNetError;
  /** What to do about a path that leads to no file. */
  hint: string;
}

/** Something of known size that can be read anywhere. */
export interface Source {
  /** What it is called in messages. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /**
   * A range as bytes of its own, which the caller may keep.
   *
   * @throws what {@linkcode Source.failure} makes, if the range does not lie within the source; nothing
   * is allocated then
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  /** The error of something that was found in it, with what to do about that. */
  failure(found: string, hint: string): MRNetError;
}

/** A file that is open until it is disposed of (`using`). */
export interface FileSource extends Source, Disposable {}

/** What to do about a file that is shorter than it says. */
const AGAIN = "it is cut short or damaged, copy or download it again";

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array, name: string, use: SourceUse): Source {
  const { failure, checkRange } = _rules(name, bytes.length, use);
  return {
    name,
    size: bytes.length,
    failure,
    read(offset, length) {
      checkRange(offset, length);
      const range = new Uint8Array(length);
      range.set(bytes.subarray(offset, offset + length));
      return range;
    },
  };
}

/**
 * Opens a file for reading in ranges.
 *
 * @throws the error of `use` if there is no such file
 * @throws {PermissionError} if Deno may not read it
 */
export async function openSource(path: string, use: SourceUse): Promise<FileSource> {
  const { what, error, hint } = use;
  const action = { what, path, access: "read", error, hint } as const;
  let file: Deno.FsFile;
  let size: number;
  try {
    // Asked before opening: opening a pipe waits for its writer.
    const info = await Deno.stat(path);
    if (info.isDirectory) throw _failure(use, path, "it is a folder", hint);
    if (!info.isFile) throw _failure(use, path, "it is not a plain file", hint);
    file = await Deno.open(path);
    size = info.size;
  } catch (error) {
    throw fileError(error, action);
  }
  const { failure, checkRange } = _rules(path, size, use);
  return {
    name: path,
    size,
    failure,
    read(offset, length) {
      checkRange(offset, length);
      const range = new Uint8Array(length);
      try {
        file.seekSync(offset, Deno.SeekMode.Start);
        for (let done = 0; done < length;) {
          const count = file.readSync(range.subarray(done));
          if (count === null) throw failure("it became shorter while it was read", AGAIN);
          done += count;
        }
      } catch (error) {
        throw fileError(error, action);
      }
      return range;
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** How a source of that size refuses what does not lie within it. */
function _rules(name: string, size: number, use: SourceUse) {
  const failure = (found: string, hint: string) => _failure(use, name, found, hint);
  const checkRange = (offset: number, length: number) => {
    const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length) &&
      offset >= 0 && length >= 0 && offset + length <= size;
    if (sound) return;
    throw failure(`${length} bytes are needed at byte ${offset}, but it has ${size} bytes`, AGAIN);
  };
  return { failure, checkRange };
}

function _failure(use: SourceUse, name: string, found: string, hint: string): MRNetError {
  return new use.error(`Cannot ${use.what} '${name}': ${found}: ${hint}`);
}
