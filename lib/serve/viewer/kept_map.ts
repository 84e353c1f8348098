/**
 * A map that outlives the process: a JSON file that is read once and written as a whole. Values that
 * another process wrote in the meantime are kept. So a value must stay true for ever: its key holds
 * everything that it depends on.
 */
import { DataError, messageOf } from "../../errors.ts";
import { baseName, folderOf, makeFolder, readBytes, writeWhole } from "../../files.ts";

/** The most bytes of such a file. */
export const MAX_KEPT_BYTES = 2 * 1024 * 1024;

/** The most entries, which take up to 240 bytes each; the oldest give way. */
const MAX_ENTRIES = 8_000;

/** The form of the file. */
const FORMAT = 1;

/** The file of a map, and the values that it holds. */
export interface KeptMapOptions<V> {
  /** The file. */
  path: string;
  /** Whose values they are; a file about something else is not used. */
  about: string;
  /** Whether a value is one. */
  check(value: unknown): value is V;
}

/** The map. */
export class KeptMap<V> {
  readonly #options: KeptMapOptions<V>;
  #values = new Map<string, V>();
  #changed = false;

  /** @param options its file; nothing is read before {@linkcode KeptMap.load} */
  constructor(options: KeptMapOptions<V>) {
    this.#options = options;
  }

  /** The value of a key. */
  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Sets a value, in memory. */
  set(key: string, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    this.#changed = true;
  }

  /**
   * Takes over what the file holds; one that is not there holds nothing.
   *
   * @throws {DataError} if it is not such a file, or about something else
   * @throws {PermissionError} if Deno may not read it
   */
  async load(): Promise<void> {
    const { path } = this.#options;
    if (await Deno.lstat(path).then(() => false, _isMissing)) return;
    const action = { what: "read", path, access: "read", error: DataError } as const;
    const bytes = await readBytes(action, { most: MAX_KEPT_BYTES });
    const own = this.#values;
    this.#values = parseKept(new TextDecoder().decode(bytes), this.#options);
    for (const [key, value] of own) this.#values.set(key, value);
  }

  /**
   * Writes the file whole, with what others wrote to it, if anything has changed.
   *
   * @throws {OutputError | PermissionError | DataError} if it cannot be written, or is not ours
   */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      await this.load();
      for (const key of this.#values.keys()) {
        if (this.#values.size <= MAX_ENTRIES) break;
        this.#values.delete(key);
      }
      const { path, about } = this.#options;
      await makeFolder(folderOf(path));
      const values = Object.fromEntries(this.#values);
      await writeWhole(path, `${JSON.stringify({ format: FORMAT, about, values })}\n`);
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }
}

/**
 * Reads a file's text.
 *
 * @throws {DataError} if it is not such a file, or about something else
 */
export function parseKept<V>(
  text: string,
  { path, about, check }: KeptMapOptions<V>,
): Map<string, V> {
  const refusal = (found: string) =>
    new DataError(`Cannot use '${path}': ${found}: remove it, and it is made anew`);
  // Each takes fifty times its two bytes; a value is one, the file two.
  let brackets = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text[at] === "[" || text[at] === "{") && ++brackets > MAX_ENTRIES + 2) {
      throw refusal(`it has more than ${MAX_ENTRIES} values`);
    }
  }
  let file;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw refusal(`it is no JSON (${messageOf(error)})`);
  }
  if (file?.format !== FORMAT) throw refusal(`it is none of format ${FORMAT}`);
  if (file.about !== about) throw refusal(`'${baseName(path)}' is about something else`);
  const { values } = file;
  if (typeof values !== "object" || values === null || !Object.values(values).every(check)) {
    throw refusal("its values are none");
  }
  return new Map(Object.entries(values as Record<string, V>));
}

function _isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}
