/**
 * What may be on a disk after the power was lost.
 *
 * A file's bytes are there as of the last time that it was flushed; of what was written since, all,
 * some or nothing, also as zeros in a file that has its new length. A folder's names are there as of
 * the last time that the folder was flushed; of those that came and went since, any may be. A name
 * that replaces another does so in one step. No file system is worse, and most are better.
 */
import type { Random } from "../../../lib/random.ts";
import type { Change, Operation, Recording } from "./recorder.ts";

/** How bad it is: nothing that was not flushed is there, all names but no bytes, all, or any mix. */
export const LOSSES = ["nothing", "names", "all", "mixed"] as const;
/** One of these. */
export type Loss = (typeof LOSSES)[number];

/** What was found after a loss: folders, and files with their bytes, by path. */
export interface Found {
  folders: string[];
  files: Map<string, Uint8Array>;
  /** The same for what is the same. */
  key: string;
  /** The last that the program had said. */
  said: string | undefined;
}

interface Pages {
  changes: Change[];
  flushed: number;
}

interface Names {
  flushed: Map<string, number>;
  since: Extract<Operation, { kind: "names" }>["names"][];
}

/** What there is when the power is lost behind so many operations. */
export function lostAfter(
  { root, folders, operations }: Recording,
  count: number,
  loss: Loss,
  random: Random,
): Found {
  const pages = new Map<number, Pages>();
  const names = new Map<number, Names>();
  const pagesOf = (file: number) => _get(pages, file, () => ({ changes: [], flushed: 0 }));
  const namesOf = (folder: number) =>
    _get(names, folder, () => ({ flushed: new Map(), since: [] }));
  let said: string | undefined;
  for (const operation of operations.slice(0, count)) {
    switch (operation.kind) {
      case "change":
        pagesOf(operation.file).changes.push(operation.change);
        break;
      case "sync":
        pagesOf(operation.file).flushed = pagesOf(operation.file).changes.length;
        break;
      case "names":
        namesOf(operation.folder).since.push(operation.names);
        break;
      case "syncNames": {
        const { flushed, since } = namesOf(operation.folder);
        for (const each of since.splice(0)) _apply(flushed, each);
        break;
      }
      case "said":
        said = operation.what;
        break;
      default:
        operation satisfies never;
    }
  }
  const found: Found = { folders: [], files: new Map(), key: "", said };
  const bytes = new Map<number, { bytes: Uint8Array; key: string }>();
  const visit = (folder: number, path: string) => {
    const { flushed, since } = namesOf(folder);
    const there = new Map(flushed);
    for (const each of since) {
      if (loss === "nothing" || loss === "mixed" && random.uniform() < 0.5) continue;
      _apply(there, each);
    }
    for (const [name, number] of [...there].sort()) {
      const own = `${path}${name}`;
      if (folders.has(number)) {
        found.folders.push(own);
        found.key += `${own}/ `;
        visit(number, `${own}/`);
        continue;
      }
      // One file that has two names is the same under both.
      const file = _get(bytes, number, () => _bytesOf(pagesOf(number), loss, random));
      found.files.set(own, file.bytes);
      found.key += `${own}=${number}.${file.key} `;
    }
  };
  visit(root, "");
  return found;
}

/** Makes a folder to what was found; what it held before under these names is removed. */
export async function lay(found: Found, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await Deno.remove(`${folder}/${name}`, { recursive: true }).catch(() => {});
  }
  for (const each of found.folders) await Deno.mkdir(`${folder}/${each}`, { recursive: true });
  for (const [path, bytes] of found.files) await Deno.writeFile(`${folder}/${path}`, bytes);
}

/**
 * The bytes that the files of each name came to in the end, as hashes: where nothing failed, whatever
 * has that name and is none of these is not whole.
 */
export async function wholeContents(
  { operations, folders }: Recording,
): Promise<Map<string, Set<string>>> {
  const changes = new Map<number, Change[]>();
  for (const operation of operations) {
    if (operation.kind !== "change") continue;
    _get(changes, operation.file, () => []).push(operation.change);
  }
  const hashes = new Map<number, string>();
  for (const [file, made] of changes) hashes.set(file, await hashOfBytes(_replay(made)));
  const whole = new Map<string, Set<string>>();
  for (const operation of operations) {
    for (const [name, of] of operation.kind === "names" ? operation.names : []) {
      if (of === undefined || folders.has(of)) continue;
      _get(whole, name, () => new Set()).add(hashes.get(of) ?? await hashOfBytes(new Uint8Array()));
    }
  }
  return whole;
}

/** A hash to compare contents by. */
export async function hashOfBytes(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function _apply(names: Map<string, number>, changed: Names["since"][number]): void {
  for (const [name, of] of changed) {
    if (of === undefined) names.delete(name);
    else names.set(name, of);
  }
}

function _bytesOf({ changes, flushed }: Pages, loss: Loss, random: Random) {
  const all = changes.length;
  const kept = loss === "all"
    ? all
    : loss === "mixed"
    ? flushed + random.integer(all - flushed + 1)
    : flushed;
  const zeros = loss === "mixed" && kept < all && random.uniform() < 0.3;
  const bytes = _replay(changes.slice(0, kept));
  if (!zeros) return { bytes, key: `${kept}` };
  const long = new Uint8Array(Math.max(bytes.length, _replay(changes).length));
  long.set(bytes);
  return { bytes: long, key: `${kept}+${long.length}` };
}

function _replay(changes: readonly Change[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  let length = 0;
  for (const change of changes) {
    size = "size" in change ? change.size : Math.max(size, change.at + change.bytes.length);
    length = Math.max(length, size);
  }
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const change of changes) {
    if ("size" in change) {
      bytes.fill(0, Math.min(end, change.size), end);
      end = change.size;
    } else {
      bytes.set(change.bytes, change.at);
      end = Math.max(end, change.at + change.bytes.length);
    }
  }
  return bytes.subarray(0, end).slice();
}

function _get<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
