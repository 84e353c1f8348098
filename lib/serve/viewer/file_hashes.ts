/**
 * The SHA-256 of files, which stays known as long as a file is the same: its size, its times and its
 * number in the file system are compared instead of its bytes.
 */
import { DataError } from "../../errors.ts";
import { hashFile } from "../../files.ts";

/**
 * How long a file must have lain unchanged for its times to tell a later change, in milliseconds: file
 * systems and Deno count some of them in seconds.
 */
const MIN_AGE_MS = 3000;

/** A file as it was when it was hashed: its stamp, and its SHA-256. */
export type Hashed = [stamp: string, sha256: string];

/** Where hashes are remembered. */
export interface HashMemory {
  get(path: string): Hashed | undefined;
  set(path: string, hashed: Hashed): void;
}

/** Whether a value from a file is one. */
export function isHashed(value: unknown): value is Hashed {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" &&
    typeof value[1] === "string" && /^[0-9a-f]{64}$/.test(value[1]);
}

/**
 * The SHA-256 of a file's bytes, in hexadecimal.
 *
 * @param path the file, which the memory knows it by
 * @param memory asked first
 * @param signal ends the hashing
 * @throws {DataError | PermissionError} if it cannot be read
 * @throws the signal's reason if that fires
 */
export async function rememberedHash(
  path: string,
  memory: HashMemory,
  signal?: AbortSignal,
): Promise<string> {
  const stamp = await _stampOf(path);
  const before = memory.get(path);
  if (stamp !== undefined && before?.[0] === stamp) return before[1];
  const action = { what: "read", path, access: "read", error: DataError } as const;
  const sha256 = await hashFile(action, signal);
  if (stamp !== undefined && stamp === await _stampOf(path)) memory.set(path, [stamp, sha256]);
  return sha256;
}

/**
 * A text that changes whenever the bytes of a file change; `undefined` if that cannot be told. The system
 * sets the second time of a file at each change, even if a program sets the first one back.
 */
async function _stampOf(path: string): Promise<string | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info === undefined || info.mtime === null || info.ctime === null) return undefined;
  const times = [info.mtime.getTime(), info.ctime.getTime()];
  if (Date.now() - Math.max(...times) < MIN_AGE_MS) return undefined;
  return [info.size, ...times, info.dev, info.ino].join(" ");
}
