/**
 * How a file gets its name in one step, and what reaches the disk when.
 *
 * @module
 */

/** What a file is made of: bytes, text, or its bytes in chunks. */
export type Content = string | Uint8Array | Iterable<Uint8Array>;

/** The path before its last name, `.` where there is none. */
export function folderOf(path: string): string {
  const named = path.replace(/(.)[\\/]+$/, "$1");
  const folder = named.replace(/[^\\/]*$/, "").replace(/(.)[\\/]+$/, "$1");
  return folder === "" ? "." : folder;
}

/**
 * Writes a file beside its path, brings it to the disk, and gives it the name in one step.
 *
 * @param fresh takes the name only where nobody has it
 * @returns whether it has the name; throws whatever the system does, and leaves nothing then
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

/** Whether Deno may read there, without asking somebody who sits at the terminal. */
export function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/**
 * Brings the names in a folder to the disk: what is removed after it was replaced must not be gone
 * before the new name is there, whatever happens to the power. Where Deno may not read the folder it
 * is left to the system.
 */
export async function syncFolder(path: string): Promise<void> {
  if (!mayRead(path)) return;
  try {
    using folder = await Deno.open(path);
    await folder.sync();
  } catch {
    // Not every system opens a folder or flushes one; the file itself is on the disk.
  }
}

/** Gives a file a second name that nobody has, which unlike renaming replaces nothing. */
async function _takeName(aside: string, path: string): Promise<boolean> {
  try {
    await Deno.link(aside, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return await _isTaken(error, aside, path);
    // Not every file system knows second names.
    return await _replaceEmpty(aside, path);
  }
  await Deno.remove(aside);
  return true;
}

/** Takes a name with an empty file, which only one can make, and puts the whole file in its place. */
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

/** A name that another file has stays its own; anything else there is an error. */
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
