/**
 * The files that may hold images: single files, all files below a folder, and files inside zip archives.
 * Only the beginning of each is read at first.
 */
import { DataError } from "../errors.ts";
import { baseName, fileError, folderOf, join, readBeginning, readBytes } from "../files.ts";
import type { FileAction } from "../files.ts";
import { bytesSource, openSource, type Source, type SourceUse } from "../source.ts";
import { readZip, readZipEntry, type ZipDirectory, type ZipEntry } from "../zip.ts";
import { type ImagingLimits, NO_LIMITS } from "./limits.ts";

/** Bytes that came by another way than a path, such as a request's. */
export interface GivenFile {
  /** What it is called, for messages and to tell what it is. */
  name: string;
  /** All of it. */
  bytes: Uint8Array;
  /**
   * The folder that its name begins with, as if that had been given: what lies in one belongs together.
   * @default it belongs to no other
   */
  root?: string;
}

/** A file that can be read. */
export interface ImagingFile {
  /** Its path; of a file in an archive `study.zip/IM001`. */
  readonly name: string;
  /** The folder that was given, or the archive: what lies in one of them belongs together. */
  readonly root: string;
  /** The first bytes, fewer only if there are no more. */
  begin(count: number): Promise<Uint8Array>;
  /**
   * All bytes.
   *
   * @throws {DataError} if it is larger than {@linkcode MAX_FILE_BYTES}, or damaged
   */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The largest file that is read, in bytes; an Enhanced MR file of a large study has some 300 MB. */
export const MAX_FILE_BYTES = 1024 ** 3;

const IMAGES: SourceUse = {
  what: "read",
  error: DataError,
  hint: "give DICOM or NIfTI files, folders of them, or a zip archive",
};

/** Files from all over. To be disposed of: archives stay open meanwhile. */
export class ImagingFiles implements Disposable {
  readonly files: ImagingFile[] = [];
  /** How much of them may be read. */
  readonly limits: ImagingLimits;
  readonly #archives = new DisposableStack();

  private constructor(limits: ImagingLimits) {
    this.limits = limits;
  }

  /**
   * Looks for the files at paths, in the order of their names.
   *
   * @param limits how much of them may be read
   * @throws {DataError} if a path is not there, an archive is damaged, or there is more than allowed
   * @throws {PermissionError} if Deno may not read one
   */
  static async find(
    paths: readonly (string | GivenFile)[],
    limits: ImagingLimits = NO_LIMITS,
  ): Promise<ImagingFiles> {
    const found = new ImagingFiles(limits);
    try {
      for (const given of paths) {
        if (typeof given !== "string") {
          found.#addGiven(given);
          continue;
        }
        const path = given.replace(/(.)[\\/]+$/, "$1");
        for (const file of await _filesBelow(path)) await found.#add(file, path);
      }
      return found;
    } catch (error) {
      found[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#archives.dispose();
  }

  async #add(path: string, root: string): Promise<void> {
    if (isArchiveName(path)) {
      this.#addEntries(this.#archives.use(await openSource(path, IMAGES)));
      return;
    }
    this.files.push({
      name: path,
      root,
      begin: (count) => readBeginning(_reading(path), count),
      read: () => readBytes(_reading(path), { most: MAX_FILE_BYTES }),
    });
  }

  #addGiven({ name, bytes, root = name }: GivenFile): void {
    const source = bytesSource(bytes, name, IMAGES);
    if (isZip(bytes)) return this.#addEntries(source);
    this.files.push({
      ...{ name, root },
      begin: (count) => Promise.resolve(bytes.subarray(0, count)),
      read: () => Promise.resolve(source.read(0, source.size)),
    });
  }

  #addEntries(source: Source): void {
    const { images, inflatedBytes } = this.limits;
    const directory = readZip(source, images);
    const last: LastRead = {};
    const entries = [...directory.entries.values()];
    const inflated = entries.reduce((sum, { length }) => sum + length, 0);
    if (inflated > inflatedBytes) {
      const found = `its files have ${inflated} bytes, at most ${inflatedBytes} are read`;
      throw source.failure(found, "give only the series that are needed");
    }
    for (const entry of entries.sort(_byName)) {
      if (!/[\\/]$/.test(entry.name)) {
        this.files.push(_entryFile(source, directory, { entry, last }));
      }
    }
  }
}

/** True for names of archives that are looked into. */
export function isArchiveName(name: string): boolean {
  return /\.zip$/i.test(name);
}

/** True for the bytes of archives. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length > 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] < 7;
}

function _byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The file of an archive that was inflated last: it is asked for its beginning, then for all of it. */
interface LastRead {
  entry?: ZipEntry;
  bytes?: Uint8Array<ArrayBuffer>;
}

function _entryFile(
  source: Source,
  directory: ZipDirectory,
  { entry, last }: { entry: ZipEntry; last: LastRead },
): ImagingFile {
  const hint = "unpack the archive and give the folder";
  const options = { maxInflated: MAX_FILE_BYTES, hint };
  const inflated = () => {
    if (last.entry !== entry) {
      last.bytes = readZipEntry(source, directory, entry, options);
      last.entry = entry;
    }
    return last.bytes!;
  };
  return {
    name: join(source.name, entry.name),
    root: source.name,
    // To inflate a beginning alone would save little: nearly all files of an archive are images.
    begin: (count) => Promise.try(() => inflated().subarray(0, count)),
    read: () => Promise.try(inflated),
  };
}

const _reading = (path: string): FileAction => ({
  ...{ what: "read", path, access: "read", error: DataError },
});

/** The files at a path, in the order of their names. What programs hide from people is left out. */
async function _filesBelow(path: string): Promise<string[]> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) return [path];
    const entries = await Array.fromAsync(Deno.readDir(path));
    const below: string[] = [];
    for (const { name, isDirectory, isFile } of entries.sort(_byName)) {
      if (name.startsWith(".") || name === "__MACOSX") continue;
      if (isDirectory) below.push(...await _filesBelow(join(path, name)));
      else if (isFile) below.push(join(path, name));
    }
    return below;
  } catch (error) {
    throw fileError(error, { what: "look at", path, access: "read", error: DataError });
  }
}

/** A name without its folders and endings: `knee` for `a/knee.nii.gz`. */
export function stemOf(name: string): string {
  return baseName(name).replace(/\.(nii|nii\.gz|dcm|pck|zip)$/i, "");
}

/** So many folders may name an exam; a name from untrusted clients may have thousands. */
const MAX_FOLDERS = 16;

/** The folders from a file up to what was given, which may be a folder itself, or an archive. */
export function foldersOf({ name, root }: ImagingFile): string[] {
  const folders: string[] = [];
  for (let at = folderOf(name); at.length >= root.length && at !== "."; at = folderOf(at)) {
    if (folders.length === MAX_FOLDERS) break;
    folders.push(stemOf(at));
    if (at === root || folderOf(at) === at) break;
  }
  return folders;
}
