/**
 * Folders that live as long as a test, and datasets in MRNet's layout to put into them.
 */
import { encodeNpy, type NpyData } from "../../lib/data/npy.ts";
import type { Label, Split } from "../../lib/terms.ts";

/** A dataset that NumPy wrote: 8 exams to train on, 4 to validate on, all three tasks, coronal. */
export const NUMPY_DATASET = new URL("../fixtures/numpy_dataset", import.meta.url).pathname;

/** A folder that is removed with its content when it goes out of scope. */
export class TemporaryFolder implements AsyncDisposable {
  /** Where it is. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await Deno.realPath(await Deno.makeTempDir({ prefix: "mrnet-" })));
  }

  /** A path in it. */
  at(...names: string[]): string {
    return [this.path, ...names].join("/");
  }

  /** Writes a file, and the folders on the way to it. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = this.at(name);
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(path, _bytes(content));
  }

  /** The names of all files in a folder of it, sorted, those in subfolders with their path. */
  async files(name = "."): Promise<string[]> {
    const found: string[] = [];
    const visit = async (folder: string, prefix: string) => {
      for await (const entry of Deno.readDir(folder)) {
        if (entry.isDirectory) await visit(`${folder}/${entry.name}`, `${prefix}${entry.name}/`);
        else found.push(prefix + entry.name);
      }
    };
    await visit(this.at(name), "").catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    return found.sort();
  }

  /** The text of a file. */
  text(name: string): Promise<string> {
    return Deno.readTextFile(this.at(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Copies a folder with what is in it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/**
 * Writes what `write` writes into an empty folder. It is made once and then copied, for files that take
 * longer to make than most tests that need them.
 */
export function madeOnce(
  write: (folder: TemporaryFolder) => Promise<unknown>,
): (folder: TemporaryFolder) => Promise<void> {
  let files: Promise<(readonly [name: string, bytes: Uint8Array])[]> | undefined;
  const make = async () => {
    await using folder = await TemporaryFolder.make();
    await write(folder);
    const names = await folder.files();
    return await Promise.all(
      names.map(async (name) => [name, await Deno.readFile(folder.at(name))] as const),
    );
  };
  return async (folder) => {
    for (const [name, bytes] of await (files ??= make())) await folder.write(name, bytes);
  };
}

/** A slice that is dark or bright, with some grain. */
export function voxels(label: Label, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (label === 1 ? 160 : 40) + i * 37 % 50);
}

/** An exam's file: two slices of 64×64 pixels unless other voxels and another shape are given. */
export function examBytes(data: NpyData = voxels(0, 2 * 64 * 64), shape = [2, 64, 64]): Uint8Array {
  return encodeNpy(data, shape);
}

/** The header of an `.npy` file that claims this type and shape, and no data after it. */
export function npyHead(descr: string, shape: string, fortran = false): Uint8Array {
  const order = fortran ? "True" : "False";
  const claim = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const head = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0);
  return Uint8Array.of(...head, ...new TextEncoder().encode(`${claim.padEnd(117)}\n`));
}

/**
 * Writes a dataset of the least size that trains: exams 0000 to 0003, two of each split, the second
 * of each with the finding. The task is `acl`, the plane `coronal`.
 *
 * The two to validate on look the same, so that the AUC is 0.5 whatever the model has learnt and the
 * first epoch is always the best.
 */
export async function writeTinyDataset(folder: TemporaryFolder, name = "data"): Promise<void> {
  const splits: [Split, string[]][] = [["train", ["0000", "0001"]], ["valid", ["0002", "0003"]]];
  for (const [split, ids] of splits) {
    await folder.write(`${name}/${split}-acl.csv`, `${ids[0]},0\n${ids[1]},1\n`);
    for (const [index, id] of ids.entries()) {
      const data = voxels(split === "train" ? index as Label : 1, 2 * 64 * 64);
      await folder.write(`${name}/${split}/coronal/${id}.npy`, examBytes(data));
    }
  }
}

function _bytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
