/** Writing a file so that it gets its name in one step, after its bytes have reached the disk. */

/** The content of a file: bytes, text, or its bytes in chunks. */
export type Content = string | Uint8Array | Iterable<Uint8Array>;

/** The path before its last name; `.` if there is none. */
export function folderOf(path: string): string {
  const named = path.replace(/(.)[\\/]+$/, "$1");
  const folder = named.replace(/[^\\/]*$/, "").replace(/(.)[\\/]+$/, "$1");
  return folder === "" ? "." : folder;
}

/**
 * Writes a file under a name beside its own, flushes it to the disk, and renames it in one step.
 *
 * @param fresh takes the name only if no file has it
 * @returns whether it got the name
 * @throws what the system throws; no file is left then
 */
export async function writeAside(
  path: string,
  content: Content,
  fresh = false,
): Promise<boolean> {
  const aside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    const file = await Deno.open(aside, { write: true, createNew: true });
    try {
      for (const chunk of _chunks(content)) await _writeAll(file, chunk);
      await file.sync();
    } finally {
      file.close();
    }
    if (!fresh) await Deno.rename(aside, path);
    else if (!await _takeName(aside, path)) return false;
    await syncFolder(folderOf(path));
    return true;
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw error;
  }
}

/** Whether Deno may read a path, without a prompt at the terminal. */
export function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/**
 * Flushes the names in a folder to the disk. Otherwise a loss of power could keep the removal of an old
 * file and lose the name of the new one. If Deno may not read the folder, the system decides when.
 */
export async function syncFolder(path: string): Promise<void> {
  if (!mayRead(path)) return;
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // Some systems cannot open or flush a folder; the file itself is on the disk.
  }
}

/** Gives a file a second name if it is free; unlike renaming, that replaces nothing. */
async function _takeName(aside: string, path: string): Promise<boolean> {
  try {
    await Deno.link(aside, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return await _isTaken(error, aside, path);
    // Some file systems have no second names.
    return await _replaceEmpty(aside, path);
  }
  await Deno.remove(aside);
  return true;
}

/** Reserves a name with an empty file, which only one process can make, then replaces that file. */
async function _replaceEmpty(aside: string, path: string): Promise<boolean> {
  try {
    (await Deno.open(path, { write: true, createNew: true })).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return await _isTaken(error, aside, path);
    throw error;
  }
  try {
    await Deno.rename(aside, path);
    return true;
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/** Ignores that another file has the name already; any other error is thrown. */
async function _isTaken(error: unknown, aside: string, path: string): Promise<false> {
  const { isFile } = await Deno.lstat(path);
  if (!isFile) throw error;
  await Deno.remove(aside);
  return false;
}

function _chunks(content: Content): Iterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

async function _writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
