/**
 * DICOM files as they are written here: elements by tag and value representation, explicit little endian.
 *
 * The values that a file takes over from another one are its bytes, in whatever character set they are.
 * The one package that writes DICOM, dcmjs, decodes texts by the first of several character sets and
 * writes them in another one, so that a Japanese or Korean name would not be the patient's any more.
 */
import { concat } from "../bytes.ts";
import { VERSION } from "../version.ts";
import { derivedUid } from "./derived_uid.ts";

/** A value: a text of ASCII, numbers of the element's kind, bytes as they are, or items of a sequence. */
export type ElementValue = string | readonly number[] | Uint8Array | readonly Elements[];

/** Elements by tag and value representation, such as `"0028,0010 US": [256]`; undefined ones are left out. */
export interface Elements {
  readonly [tag: string]: ElementValue | undefined;
}

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";

/** Kinds whose length takes four bytes. */
const LONG_LENGTH = new Set(["OB", "SQ", "UT"]);

/**
 * A whole file with these elements, in the order of their tags. Its first lines say what it holds, from
 * the elements SOP Class UID and SOP Instance UID.
 */
export function encodeDicom(elements: Elements): Uint8Array<ArrayBuffer> {
  const meta = _elements({
    "0002,0001 OB": Uint8Array.of(0, 1),
    "0002,0002 UI": elements["0008,0016 UI"],
    "0002,0003 UI": elements["0008,0018 UI"],
    "0002,0010 UI": EXPLICIT_LITTLE_ENDIAN,
    "0002,0012 UI": derivedUid("MRNet for Deno", "implementation"),
    "0002,0013 SH": `MRNET_DENO_${VERSION}`.slice(0, 16),
  });
  return concat([
    new Uint8Array(128),
    _ascii("DICM"),
    _element("0002,0000 UL", [meta.length]),
    meta,
    _elements(elements),
  ]);
}

function _elements(elements: Elements): Uint8Array {
  const given = Object.entries(elements).filter((entry): entry is [string, ElementValue] =>
    entry[1] !== undefined
  );
  const inOrder = given.sort(([one], [other]) => one < other ? -1 : 1);
  return concat(inOrder.map(([tag, value]) => _element(tag, value)));
}

function _element(tag: string, value: ElementValue): Uint8Array {
  const [, group, element, kind] = /^([\dA-F]{4}),([\dA-F]{4}) ([A-Z]{2})$/.exec(tag) ?? [];
  if (kind === undefined) throw new Error(`'${tag}' is no tag with a value representation`);
  const bytes = _even(_bytes(kind, value), kind);
  if (!LONG_LENGTH.has(kind) && bytes.length > 0xfffe) {
    throw new Error(`${tag}: ${bytes.length} bytes are more than an element of this kind can have`);
  }
  return concat([
    _words(parseInt(group, 16), parseInt(element, 16)),
    _ascii(kind),
    LONG_LENGTH.has(kind) ? concat([_words(0), _long(bytes.length)]) : _words(bytes.length),
    bytes,
  ]);
}

function _bytes(kind: string, value: ElementValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return _ascii(value);
  if (kind === "SQ") return concat((value as readonly Elements[]).map(_item));
  const numbers = value as readonly number[];
  switch (kind) {
    case "US":
      return _words(...numbers);
    case "UL":
      return concat(numbers.map(_long));
    case "FD":
      return concat(numbers.map((number) => _view(8, (view) => view.setFloat64(0, number, true))));
    default:
      throw new Error(`no numbers are written as ${kind}`);
  }
}

function _item(elements: Elements): Uint8Array {
  const bytes = _elements(elements);
  return concat([_words(0xfffe, 0xe000), _long(bytes.length), bytes]);
}

/** Values have even lengths: identifiers and bytes end in a zero, texts in a blank. */
function _even(bytes: Uint8Array, kind: string): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  return concat([bytes, [kind === "UI" || kind === "OB" ? 0 : 0x20]]);
}

/** Texts of our own are in every character set. */
function _ascii(text: string): Uint8Array {
  if (/[^ -~]/.test(text)) {
    throw new Error(`'${text}' has letters that are not in every character set`);
  }
  return new TextEncoder().encode(text);
}

function _words(...words: number[]): Uint8Array {
  return concat(words.map((word) => _view(2, (view) => view.setUint16(0, word, true))));
}

function _long(value: number): Uint8Array {
  return _view(4, (view) => view.setUint32(0, value, true));
}

function _view(bytes: number, set: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  set(view);
  return new Uint8Array(view.buffer);
}
