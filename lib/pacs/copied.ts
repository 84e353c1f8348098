/**
 * Patient and study of an answer: the elements that it takes over from the images, byte for byte.
 *
 * A value that DICOM does not allow is left out and never altered: half a name, or an identifier without
 * its last letters, would be somebody else's.
 */
import type { DataSet } from "../imaging/dicom/dataset.ts";
import { outlineOf, parseCharacterSet } from "./character_sets.ts";
import { isDay } from "./day.ts";
import type { Elements } from "./elements.ts";

/** An element that is taken over. */
interface CopiedElement {
  tag: string;
  keyword: string;
  /** True if the standard wants it, empty if need be (type 2). */
  isWanted: boolean;
  /** Whether an outline is a value of it. */
  isValid: (outline: string) => boolean;
  /** True if its text is in the character set. */
  isText?: boolean;
}

const SHORT = (outline: string) => outline.length <= 16 && !outline.includes("\\");
const LONG = (outline: string) => outline.length <= 64 && !outline.includes("\\");
const NAME = (outline: string) => {
  const groups = outline.split("=");
  return groups.length <= 3 && !outline.includes("\\") &&
    groups.every((group) => group.length <= 64 && group.split("^").length <= 5);
};
const matches = (pattern: RegExp) => (outline: string) => pattern.test(outline);
const TIME = matches(/^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/);
const TIMEZONE = matches(/^[+-](0\d|1[0-4])[0-5]\d$/);

const text = (tag: string, keyword: string, isValid: (outline: string) => boolean) => ({
  ...{ tag, keyword, isValid, isText: true },
});
const wanted = { isWanted: true };
const optional = { isWanted: false };

const COPIED: readonly CopiedElement[] = [
  { tag: "0008,0020 DA", keyword: "StudyDate", isValid: isDay, ...wanted },
  { tag: "0008,0030 TM", keyword: "StudyTime", isValid: TIME, ...wanted },
  { ...text("0008,0050 SH", "AccessionNumber", SHORT), ...wanted },
  { ...text("0008,0090 PN", "ReferringPhysicianName", NAME), ...wanted },
  { tag: "0008,0201 SH", keyword: "TimezoneOffsetFromUTC", isValid: TIMEZONE, ...optional },
  { ...text("0008,1030 LO", "StudyDescription", LONG), ...optional },
  { ...text("0010,0010 PN", "PatientName", NAME), ...wanted },
  { ...text("0010,0020 LO", "PatientID", LONG), ...wanted },
  { ...text("0010,0021 LO", "IssuerOfPatientID", LONG), ...optional },
  { tag: "0010,0030 DA", keyword: "PatientBirthDate", isValid: isDay, ...wanted },
  { tag: "0010,0040 CS", keyword: "PatientSex", isValid: matches(/^[MFO]$/), ...wanted },
  { tag: "0010,1010 AS", keyword: "PatientAge", isValid: matches(/^\d{3}[DWMY]$/), ...optional },
  { ...text("0020,0010 SH", "StudyID", SHORT), ...wanted },
];

/** No value that is taken over is longer, in any character set; a hostile file's may have megabytes. */
const MAX_BYTES = 1024;

/** What was taken over. */
export interface CopiedIdentity {
  readonly elements: Elements;
  /** The keywords of elements whose values are not allowed, such as `PatientName`. */
  readonly leftOut: readonly string[];
}

/** Takes over who the patient is and which study it is. */
export function copyIdentity(data: DataSet): CopiedIdentity {
  const found = COPIED.map((element) => ({ element, bytes: _found(data, element) }));
  const texts = found.flatMap(({ element, bytes }) =>
    element.isText && bytes !== undefined && bytes.length <= MAX_BYTES ? [bytes] : []
  );
  const set = _characterSet(data, texts);
  const leftOut: string[] = [];
  const copied = found.map(({ element: { tag, keyword, isValid, isWanted, isText }, bytes }) => {
    const isRead = bytes !== undefined && bytes.length <= MAX_BYTES;
    const outline = isRead ? outlineOf(bytes, isText ? set : "") : undefined;
    const isGood = outline !== undefined && isValid(outline);
    if (bytes !== undefined && !isGood) leftOut.push(keyword);
    return [tag, isGood ? bytes : isWanted ? "" : undefined] as const;
  });
  return {
    elements: { ...Object.fromEntries(copied), "0008,0005 CS": set === "" ? undefined : set },
    leftOut,
  };
}

/**
 * The character set in which all texts are well-formed: the declared one; if it is not, as with names
 * that are in none because nothing was declared, UTF-8 or else Latin 1, in which nearly every byte is a
 * letter.
 */
function _characterSet(data: DataSet, texts: readonly Uint8Array[]): string {
  const declared = parseCharacterSet(_latin(_bytes(data, "x00080005") ?? new Uint8Array()));
  const fits = (set: string) => texts.every((bytes) => outlineOf(bytes, set) !== undefined);
  const candidates = [...declared === undefined ? [""] : [declared], "ISO_IR 192", "ISO_IR 100"];
  return candidates.find(fits) ?? declared ?? "";
}

/** The patient's identifier, to compare it: its bytes as letters. */
export function patientOf(data: DataSet): string {
  return _latin(_bytes(data, "x00100020") ?? new Uint8Array());
}

/** The bytes of a value as it is written today; nothing if it is empty or missing. */
function _found(data: DataSet, { tag, keyword }: CopiedElement): Uint8Array | undefined {
  const bytes = _bytes(data, `x${tag.slice(0, 4)}${tag.slice(5, 9)}`.toLowerCase());
  return bytes !== undefined && /Date$|Time$/.test(keyword) ? _today(bytes) : bytes;
}

/** The bytes of a value without what pads it, at most one more than are read; nothing if it has none. */
function _bytes(data: DataSet, tag: string): Uint8Array | undefined {
  const element = data.elements[tag];
  if (element === undefined) return undefined;
  const { dataOffset, length } = element;
  let [from, to] = [dataOffset, dataOffset + length];
  const isPadding = (byte: number) => [0, 9, 10, 13, 32].includes(byte);
  while (to > from && isPadding(data.byteArray[to - 1])) to--;
  while (to > from && isPadding(data.byteArray[from])) from++;
  return from === to ? undefined : data.byteArray.slice(from, Math.min(to, from + MAX_BYTES + 1));
}

const _latin = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** Dates and times as they were written before DICOM 3, `2020.01.31` and `10:30:00`, in today's form. */
function _today(bytes: Uint8Array): Uint8Array {
  const text = _latin(bytes);
  const isOld = /^\d{4}\.\d\d\.\d\d$|^\d\d:\d\d/.test(text);
  return isOld
    ? bytes.filter((byte) => byte !== 0x3a && (text.includes(":") || byte !== 0x2e))
    : bytes;
}
