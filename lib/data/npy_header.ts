/**
 * The header of an `.npy` file, checked against the file's size.
 *
 * Everything is decided from the first bytes and the length of the file. No memory is allocated for
 * what a header claims.
 */
import { DataError } from "../errors.ts";
import { asciiOf } from "../quoted.ts";
import { type NpyDtype, type NumberLayout, numberLayout, type Refuse } from "./number_types.ts";

export { type NpyDtype, type NumberLayout, type Refuse };

/** A header that agrees with the size of its file. */
export interface NpyHeader extends NumberLayout {
  /** The type as the header spells it, such as `<f4`. */
  descr: string;
  /** Where the numbers begin, in bytes from the start of the file. */
  dataOffset: number;
  /** How many bytes the numbers take; the file ends after them. */
  dataBytes: number;
}

/** Versions 2.0 and 3.0 could claim 4 GiB; a header of this toolkit's data has 128 bytes. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** NumPy's own limit. */
const MAX_AXES = 64;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const ZIP_MAGIC = [0x50, 0x4b];

const SAVE_AGAIN = "save it again with numpy.save";
const COPY_AGAIN = "it is truncated, copy it again";

/** The error for a file that cannot be read, in the one form they all have. */
export function npyError(name: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read '${name}' as .npy: ${found}: ${hint}`);
}

/**
 * Reads a header and checks it against the file.
 *
 * @param start the first bytes of the file, at least the whole header
 * @param fileBytes how many bytes the file has
 * @param name the file's path as the user knows it, for messages
 * @throws {DataError} if the file is not `.npy`, holds anything but numbers, or its size is not what
 *   the header says
 * @throws {RangeError} if `start` ends before the header although the file does not
 */
export function parseNpyHeader(start: Uint8Array, fileBytes: number, name: string): NpyHeader {
  const dataOffset = npyHeaderEnd(start, fileBytes, name);
  if (start.length < dataOffset) {
    throw new RangeError(`The header ends at byte ${dataOffset}: only ${start.length} were given`);
  }
  const refuse: Refuse = (found, hint) => npyError(name, found, hint);
  const text = _latin1(start.subarray(start[6] === 1 ? 10 : 12, dataOffset));
  const { descr, fortran_order: fortranOrder, shape } = new _Dict(text, refuse).read();
  const layout = numberLayout({ descr, fortranOrder, shape }, refuse);
  const dataBytes = _size(shape, layout.itemBytes, refuse);
  const held = fileBytes - dataOffset;
  if (dataBytes !== held) {
    const found = `its header claims ${_grouped(dataBytes)} bytes of data but the file holds ` +
      _grouped(held);
    const longer = `the rest is not part of the array, ${SAVE_AGAIN}`;
    throw refuse(found, held < dataBytes ? COPY_AGAIN : longer);
  }
  return { descr, ...layout, dataOffset, dataBytes };
}

/**
 * Where the header ends and the numbers begin, in bytes from the start of the file.
 *
 * @param start the first bytes of the file: 12, or all there are
 * @param fileBytes how many bytes the file has
 * @param name the file's path, for messages
 * @throws {DataError} if the file does not begin as `.npy` does, or ends within its header
 */
export function npyHeaderEnd(start: Uint8Array, fileBytes: number, name: string): number {
  if (fileBytes === 0) throw npyError(name, "the file is empty", "copy it again");
  if (!_begins(start, MAGIC)) {
    if (_begins(start, ZIP_MAGIC)) {
      throw npyError(name, "it is a ZIP archive, perhaps .npz", "unpack it first");
    }
    const first = Array.from(start.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0"));
    const found = `it begins with the bytes ${first.join(" ")}, not with 93 4e 55 4d 50 59`;
    throw npyError(name, found, "give a file that numpy.save wrote");
  }
  const [major, minor] = [start[6], start[7]];
  const fixed = major === 1 ? 10 : 12;
  if (fileBytes < fixed) {
    const found = `the file holds ${fileBytes} bytes, less than the shortest header`;
    throw npyError(name, found, COPY_AGAIN);
  }
  if (major < 1 || major > 3 || minor !== 0) {
    const found = `its format version is ${major}.${minor}, known are 1.0, 2.0 and 3.0`;
    throw npyError(name, found, SAVE_AGAIN);
  }
  if (start.length < fixed) throw new RangeError(`A header needs ${fixed} bytes at least`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    const found = `its header claims to be ${_grouped(length)} bytes long, allowed are ` +
      _grouped(MAX_HEADER_BYTES);
    throw npyError(name, found, SAVE_AGAIN);
  }
  if (fixed + length > fileBytes) {
    const found = `its header ends at byte ${_grouped(fixed + length)} but the file holds ` +
      _grouped(fileBytes);
    throw npyError(name, found, COPY_AGAIN);
  }
  return fixed + length;
}

/** A number in groups of three digits. */
function _grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Every byte is a character; a header that this toolkit accepts is ASCII in all versions. */
function _latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}

function _begins(start: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => start[i] === byte);
}

/** How many bytes an array of this shape takes. */
function _size(shape: readonly number[], itemBytes: number, refuse: Refuse): number {
  if (shape.length > MAX_AXES) {
    throw refuse(`its shape has ${shape.length} axes, allowed are ${MAX_AXES}`, SAVE_AGAIN);
  }
  if (shape.includes(0)) return 0;
  const bytes = shape.reduce((product, length) => product * length, itemBytes);
  if (bytes > Number.MAX_SAFE_INTEGER) {
    const found = `its header claims the shape (${shape.join(", ")}), more than any file can hold`;
    throw refuse(found, SAVE_AGAIN);
  }
  return bytes;
}

/** What the dictionary of a header holds. */
interface _Fields {
  descr: string;
  fortran_order: boolean;
  shape: number[];
}

/**
 * Reader of the one Python literal a header may be: a dictionary of the keys `descr` (text),
 * `fortran_order` (True or False) and `shape` (a tuple of whole numbers), each once, in any order.
 */
class _Dict {
  readonly #text: string;
  readonly #refuse: Refuse;
  #at = 0;

  constructor(text: string, refuse: Refuse) {
    this.#text = text;
    this.#refuse = refuse;
  }

  read(): _Fields {
    const fields: Partial<_Fields> = {};
    this.#expect("{");
    while (!this.#take("}")) {
      const key = this.#string("a key in quotes");
      if (Object.hasOwn(fields, key)) throw this.#fault(`has the key '${asciiOf(key)}' twice`);
      this.#expect(":");
      if (key === "descr") fields.descr = this.#descr();
      else if (key === "fortran_order") fields.fortran_order = this.#boolean();
      else if (key === "shape") fields.shape = this.#tuple();
      else throw this.#fault(`has the key '${asciiOf(key)}', which is not known`);
      if (!this.#take(",") && this.#peek() !== "}") throw this.#unexpected("',' or '}'");
    }
    if (this.#peek() !== "") throw this.#unexpected("its end");
    const { descr, fortran_order, shape } = fields;
    if (descr === undefined) throw this.#fault("lacks the key 'descr'");
    if (fortran_order === undefined) throw this.#fault("lacks the key 'fortran_order'");
    if (shape === undefined) throw this.#fault("lacks the key 'shape'");
    return { descr, fortran_order, shape };
  }

  #descr(): string {
    const next = this.#peek();
    if (next === "[" || next === "(") {
      const found = "it holds records or nested arrays (a structured type), not plain numbers";
      throw this.#refuse(found, "save one field of it as uint8 or float32");
    }
    return this.#string("a type in quotes");
  }

  #boolean(): boolean {
    this.#peek();
    for (const [word, value] of [["True", true], ["False", false]] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#unexpected("True or False");
  }

  #tuple(): number[] {
    this.#expect("(");
    const lengths: number[] = [];
    for (let comma = true; !this.#take(")"); comma = this.#take(",")) {
      if (!comma) throw this.#unexpected("',' or ')'");
      lengths.push(this.#length());
      // In Python `(3)` is the number 3; only `(3,)` is a tuple.
      if (lengths.length === 1 && this.#peek() !== ",") throw this.#unexpected("','");
    }
    return lengths;
  }

  /** A whole number from 0; Python 2 put an L after some. */
  #length(): number {
    this.#peek();
    const digits = this.#while((character) => character >= "0" && character <= "9");
    if (digits === "" || (digits.length > 1 && digits[0] === "0")) {
      this.#at -= digits.length;
      throw this.#unexpected("a whole number from 0");
    }
    if (this.#text[this.#at] === "L") this.#at++;
    const length = Number(digits);
    if (!Number.isSafeInteger(length)) {
      throw this.#fault(`claims an axis of '${asciiOf(digits)}', more than any file can hold`);
    }
    return length;
  }

  #string(wanted: string): string {
    // Python 2 marks text that is Unicode.
    const marked = this.#peek() === "u" && /["']/.test(this.#text.charAt(this.#at + 1));
    if (marked) this.#at++;
    const quote = this.#peek();
    if (quote !== "'" && quote !== '"') throw this.#unexpected(wanted);
    this.#at++;
    const text = this.#while((character) => character !== quote && character !== "\\");
    if (this.#text[this.#at] !== quote) throw this.#unexpected(`the end of ${wanted}`);
    this.#at++;
    return text;
  }

  #while(holds: (character: string) => boolean): string {
    const from = this.#at;
    while (this.#at < this.#text.length && holds(this.#text[this.#at])) this.#at++;
    return this.#text.slice(from, this.#at);
  }

  /** The next character that is not blank, `""` at the end. */
  #peek(): string {
    this.#while((character) => " \t\r\n\f".includes(character));
    return this.#text.charAt(this.#at);
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#unexpected(`'${character}'`);
  }

  #unexpected(wanted: string): DataError {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    const met = rest === "" ? "the end" : `'${asciiOf(rest)}'`;
    return this.#fault(`has ${met} at character ${this.#at + 1} where ${wanted} belongs`);
  }

  #fault(what: string): DataError {
    return this.#refuse(`its header ${what}`, SAVE_AGAIN);
  }
}
