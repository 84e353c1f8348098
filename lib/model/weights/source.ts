/**
 * Bytes that can be read from any place: a file on disk, of which only the parts that are needed
 * come into memory, or bytes that are there already.
 *
 * Reading is synchronous: a header decides what is read next, and the parts are few and local.
 *
 * @module
 */
import { WeightsError } from "../../errors.ts";
import { fileError } from "../../files.ts";
import { weightsError } from "./tensors.ts";

/** Something of known size that can be read anywhere. */
export interface Source {
  /** What it is called in messages. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /**
   * A part as bytes of its own, which the caller may keep.
   *
   * @throws {WeightsError} where the part does not lie within the source; nothing is allocated then
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** A file that is open until it is disposed of (`using`). */
export interface FileSource extends Source, Disposable {}

/** What to do about a file that is shorter than it says. */
const AGAIN = "it is cut short or damaged, copy or download it again";

function checkRange(name: string, size: number, offset: number, length: number): void {
  const sound = Number.isSafeInteger(offset) && Number.isSafeInteger(length) &&
    offset >= 0 && length >= 0 && offset + length <= size;
  if (sound) return;
  const found = `${length} bytes are needed at byte ${offset}, but it has ${size} bytes`;
  throw weightsError(name, found, AGAIN);
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array, name: string): Source {
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      checkRange(name, bytes.length, offset, length);
      const part = new Uint8Array(length);
      part.set(bytes.subarray(offset, offset + length));
      return part;
    },
  };
}

/**
 * Opens a file for reading in parts.
 *
 * @throws {WeightsError} where there is no such file
 * @throws {PermissionError} where Deno may not read it
 */
export async function openSource(path: string): Promise<FileSource> {
  const action = {
    what: "read weights",
    path,
    access: "read",
    error: WeightsError,
    mend: "give the path of a .pth, .pt or .safetensors file",
  } as const;
  let file: Deno.FsFile;
  let size: number;
  try {
    // Asked before opening: opening a pipe waits for its writer.
    const info = await Deno.stat(path);
    if (info.isDirectory) throw weightsError(path, "it is a folder", action.mend);
    if (!info.isFile) throw weightsError(path, "it is not a plain file", action.mend);
    file = await Deno.open(path);
    size = info.size;
  } catch (error) {
    throw fileError(error, action);
  }
  return {
    name: path,
    size,
    read(offset, length) {
      checkRange(path, size, offset, length);
      const part = new Uint8Array(length);
      try {
        file.seekSync(offset, Deno.SeekMode.Start);
        for (let done = 0; done < length;) {
          const count = file.readSync(part.subarray(done));
          if (count === null) {
            throw weightsError(path, "it became shorter while it was read", AGAIN);
          }
          done += count;
        }
      } catch (error) {
        throw fileError(error, action);
      }
      return part;
    },
    [Symbol.dispose]: () => file.close(),
  };
}
