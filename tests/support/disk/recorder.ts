/**
 * What is done to the files below a folder, operation by operation: recorded, so that a loss of power
 * can be played at each of them, or made to fail.
 *
 * Deno's own functions are wrapped while a body runs, so that what is tested is the library as it is.
 */

/** A change of a file's bytes. */
export type Change = { at: number; bytes: Uint8Array } | { size: number };

/** An operation, in the order in which the system finished them. Files and folders are numbered. */
export type Operation =
  | { kind: "change"; file: number; change: Change }
  | { kind: "sync"; file: number }
  /** Names that come (with what they are of) or go, all in one step. */
  | { kind: "names"; folder: number; names: readonly [name: string, of: number | undefined][] }
  | { kind: "syncNames"; folder: number }
  /** What the program has said to the outside by now. */
  | { kind: "said"; what: string };

/** A tree of files as it was when the recording began; all of it is on the disk. */
export interface Recording {
  /** The number of the folder that everything is below. */
  root: number;
  /** The numbers of folders; every other number is a file. */
  folders: Set<number>;
  operations: Operation[];
}

/** What fails, and how. */
export interface Failure {
  /** Which operation, counted from 0. */
  at: number;
  /** Whether everything that needs room fails from then on, as on a full disk, or only that one. */
  lasting: boolean;
}

/** What a body did to the files below a folder. */
export interface Recorded<T> extends Recording {
  /** What it answered or threw. */
  outcome: { value: T } | { error: unknown };
  /** How many operations could have failed. */
  count: number;
  /** Which operation failed: its name and its file. */
  failed?: string;
}

/** Records what a body does below `root`, which must hold nothing that it changes. */
export async function record<T>(
  root: string,
  body: (say: (what: string) => void) => Promise<T>,
  failure?: Failure,
): Promise<Recorded<T>> {
  const recorder = new _Recorder(root, failure);
  const restore = recorder.wrap();
  let outcome: Recorded<T>["outcome"];
  try {
    outcome = { value: await body((what) => recorder.add({ kind: "said", what })) };
  } catch (error) {
    outcome = { error };
  } finally {
    restore();
  }
  const { operations, folders, count, failed } = recorder;
  return { root: 0, operations, folders, outcome, count, failed };
}

class _Recorder {
  readonly operations: Operation[] = [];
  readonly folders = new Set([0]);
  count = 0;
  failed: string | undefined;
  readonly #root: string;
  readonly #failure: Failure | undefined;
  /** What each path is, relative to the root. */
  readonly #numbers = new Map<string, number>([["", 0]]);
  #next = 1;

  constructor(root: string, failure?: Failure) {
    this.#root = root.replace(/\/*$/, "");
    this.#failure = failure;
  }

  add(operation: Operation): void {
    this.operations.push(operation);
  }

  /** Replaces Deno's functions; what it returns restores them. */
  wrap(): () => void {
    const { open, mkdir, rename, link, remove } = Deno;
    const wrapped = {
      open: async (path: string | URL, options?: Deno.OpenOptions) => {
        const own = this.#own(path);
        const makes = options?.createNew === true || options?.create === true;
        if (own !== undefined && makes) this.#mayFail("open", own, true);
        const file = await open(path, options);
        if (own === undefined) return file;
        let number = this.#numbers.get(own);
        if (number === undefined) {
          // What was there before the recording is read and not written.
          if (!makes) return file;
          number = this.#next++;
          this.#name(own, number);
        }
        return this.#file(file, own, number, options?.truncate === true);
      },
      mkdir: async (path: string | URL, options?: Deno.MkdirOptions) => {
        const own = this.#own(path);
        if (own === undefined) return await mkdir(path, options);
        this.#mayFail("mkdir", own, true);
        await mkdir(path, options);
        const parts = own.split("/");
        for (let end = 1; end <= parts.length; end++) {
          const each = parts.slice(0, end).join("/");
          if (this.#numbers.has(each)) continue;
          this.folders.add(this.#next);
          this.#name(each, this.#next++);
        }
      },
      rename: async (from: string | URL, to: string | URL) => {
        const [source, target] = [this.#own(from), this.#own(to)];
        if (source === undefined || target === undefined) return await rename(from, to);
        this.#mayFail("rename", target, false);
        await rename(from, to);
        const number = this.#numbers.get(source)!;
        const [folder, name] = this.#split(target);
        this.#numbers.delete(source);
        this.#numbers.set(target, number);
        // Only within a folder, where it is one step.
        if (this.#split(source)[0] !== folder) throw new Error(`renamed to elsewhere: ${target}`);
        const names = [[this.#split(source)[1], undefined], [name, number]] as const;
        this.add({ kind: "names", folder, names: names.map(([each, of]) => [each, of]) });
      },
      link: async (from: string, to: string) => {
        const [source, target] = [this.#own(from), this.#own(to)];
        if (source === undefined || target === undefined) return await link(from, to);
        this.#mayFail("link", target, false);
        await link(from, to);
        this.#name(target, this.#numbers.get(source)!);
      },
      remove: async (path: string | URL, options?: Deno.RemoveOptions) => {
        const own = this.#own(path);
        if (own === undefined) return await remove(path, options);
        this.#mayFail("remove", own, false);
        await remove(path, options);
        for (const each of [...this.#numbers.keys()]) {
          if (each === own || each.startsWith(`${own}/`)) this.#numbers.delete(each);
        }
        const [folder, name] = this.#split(own);
        this.add({ kind: "names", folder, names: [[name, undefined]] });
      },
    };
    Object.assign(Deno, wrapped);
    return () => Object.assign(Deno, { open, mkdir, rename, link, remove });
  }

  /** The path below the root; nothing for what lies elsewhere. */
  #own(path: string | URL): string | undefined {
    const text = String(path).replace(/\/+$/, "");
    if (text === this.#root) return "";
    return text.startsWith(`${this.#root}/`) ? text.slice(this.#root.length + 1) : undefined;
  }

  #split(own: string): [folder: number, name: string] {
    const [, folder, name] = /^(?:(.*)\/)?([^/]*)$/.exec(own)!;
    return [this.#numbers.get(folder ?? "")!, name];
  }

  #name(own: string, number: number): void {
    const [folder, name] = this.#split(own);
    this.#numbers.set(own, number);
    this.add({ kind: "names", folder, names: [[name, number]] });
  }

  /** Throws if this is the operation that fails; `room` says whether it needs some on the disk. */
  #mayFail(what: string, own: string, room: boolean): void {
    const index = this.count++;
    if (this.#failure === undefined) return;
    const { at, lasting } = this.#failure;
    if (index !== at && !(lasting && room && index > at && this.failed !== undefined)) return;
    this.failed ??= `${what} ${own}`;
    throw new Error(`No space left on device (os error 28), ${what}`);
  }

  /** Watches what is done to a file that is open; folders are opened to be flushed. */
  #file(file: Deno.FsFile, own: string, number: number, empty: boolean): Deno.FsFile {
    const { write, truncate, seek, sync } = file;
    const isFolder = this.folders.has(number);
    let position = 0;
    const change = (made: Change) => this.add({ kind: "change", file: number, change: made });
    if (empty) change({ size: 0 });
    return Object.assign(file, {
      write: async (bytes: Uint8Array) => {
        this.#mayFail("write", own, true);
        const count = await write.call(file, bytes);
        change({ at: position, bytes: bytes.slice(0, count) });
        position += count;
        return count;
      },
      truncate: async (size = 0) => {
        this.#mayFail("truncate", own, false);
        await truncate.call(file, size);
        change({ size });
      },
      seek: async (offset: number | bigint, whence: Deno.SeekMode) => {
        position = await seek.call(file, offset, whence);
        return position;
      },
      sync: async () => {
        this.#mayFail("sync", own, true);
        await sync.call(file);
        this.add(isFolder ? { kind: "syncNames", folder: number } : { kind: "sync", file: number });
      },
    });
  }
}
