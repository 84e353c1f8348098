/**
 * DICOM files for tests, written by hand: explicit little endian, whatever elements are asked for.
 */
import { concat } from "../../lib/bytes.ts";

/** A value as it is written: a text, numbers of the element's kind, bytes, or items of a sequence. */
export type DicomValue = string | number[] | Uint8Array | DicomElements[];

/** Elements by tag and value representation, such as `"0028,0010 US": [256]`. */
export type DicomElements = Record<string, DicomValue>;

/** Values that take four bytes for their length. */
const LONG = new Set(["OB", "OW", "SQ", "UN", "UT"]);

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";

/** A file with these elements, in the order of their tags. */
export function dicomFile(elements: DicomElements, syntax = EXPLICIT_LITTLE_ENDIAN): Uint8Array {
  const meta = _elements({ "0002,0010 UI": syntax });
  const length = _element("0002,0000 UL", [meta.length]);
  return concat([
    new Uint8Array(128),
    new TextEncoder().encode("DICM"),
    length,
    meta,
    _elements(elements),
  ]);
}

/** What makes an MR slice; each element may be replaced, or left out by `undefined`. */
export interface SliceSpec {
  rows?: number;
  columns?: number;
  /** The stored values, 16 bits each. */
  values?: ArrayLike<number>;
  elements?: Record<string, DicomValue | undefined>;
  syntax?: string;
}

let instances = 0;

/** An MR slice, sagittal unless its elements say otherwise. */
export function dicomSlice(
  { rows = 4, columns = 4, values, elements = {}, syntax }: SliceSpec = {},
): Uint8Array {
  const pixels = Uint16Array.from(values ?? Array(rows * columns).fill(100));
  const all: Record<string, DicomValue | undefined> = {
    "0008,0018 UI": `2.25.${1000 + instances++}`,
    "0008,0060 CS": "MR",
    "0020,000D UI": "2.25.1",
    "0020,000E UI": "2.25.2",
    "0020,0013 IS": "1",
    "0020,0032 DS": "0\\0\\0",
    "0020,0037 DS": "0\\1\\0\\0\\0\\-1",
    "0028,0002 US": [1],
    "0028,0004 CS": "MONOCHROME2",
    "0028,0010 US": [rows],
    "0028,0011 US": [columns],
    "0028,0030 DS": "0.5\\0.5",
    "0028,0100 US": [16],
    "0028,0101 US": [16],
    "0028,0102 US": [15],
    "0028,0103 US": [0],
    "7FE0,0010 OW": new Uint8Array(pixels.buffer),
    ...elements,
  };
  const given = Object.entries(all).filter((entry): entry is [string, DicomValue] =>
    entry[1] !== undefined
  );
  return dicomFile(Object.fromEntries(given), syntax);
}

/** Compressed pixels as the value of an element: a table of offsets, then a fragment each. */
export function encapsulated(fragments: Uint8Array[], offsets: number[] = []): Uint8Array {
  const table = new Uint8Array(Uint32Array.from(offsets).buffer);
  return concat([
    ...[table, ...fragments].map((bytes) => {
      const even = bytes.length % 2 === 0 ? bytes : concat([bytes, new Uint8Array(1)]);
      return concat([_words(0xfffe, 0xe000), _long(even.length), even]);
    }),
    _words(0xfffe, 0xe0dd),
    _long(0),
  ]);
}

function _elements(elements: DicomElements): Uint8Array {
  const tags = Object.keys(elements).sort();
  return concat(tags.map((tag) => _element(tag, elements[tag])));
}

function _element(name: string, value: DicomValue): Uint8Array {
  const [, group, element, vr] = /^(\w{4}),(\w{4}) (\w\w)$/.exec(name) ?? [];
  const bytes = _bytes(vr, value);
  // Encapsulated pixels have no length of their own.
  const open = name.startsWith("7FE0,0010") && bytes[0] === 0xfe && bytes[1] === 0xff;
  const length = open ? 0xffffffff : bytes.length;
  return concat([
    _words(parseInt(group, 16), parseInt(element, 16)),
    new TextEncoder().encode(open ? "OB" : vr),
    LONG.has(vr) ? concat([_words(0), _long(length)]) : _words(length),
    bytes,
  ]);
}

function _bytes(vr: string, value: DicomValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return text.length % 2 === 0 ? text : concat([text, Uint8Array.of(vr === "UI" ? 0 : 0x20)]);
  }
  if (vr === "SQ") {
    return concat(
      (value as DicomElements[]).map((item) => {
        const bytes = _elements(item);
        return concat([_words(0xfffe, 0xe000), _long(bytes.length), bytes]);
      }),
    );
  }
  const numbers = value as number[];
  switch (vr) {
    case "US":
      return _words(...numbers);
    case "SS":
      return new Uint8Array(Int16Array.from(numbers).buffer);
    case "UL":
      return new Uint8Array(Uint32Array.from(numbers).buffer);
    case "FD":
      return new Uint8Array(Float64Array.from(numbers).buffer);
    default:
      throw new Error(`no numbers are written as ${vr}`);
  }
}

function _words(...words: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(words).buffer);
}

function _long(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
