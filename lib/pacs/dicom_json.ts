/** DICOM as JSON (PS3.18, annex F): what a PACS says of studies, series and instances. */
import { isRecord } from "../record.ts";

/** An element: how its values are represented, and the values. */
interface DicomElement {
  readonly vr?: string;
  readonly Value?: readonly unknown[];
}

/** Elements by their tags, `0020000D`. */
export type DicomJson = Readonly<Record<string, DicomElement>>;

/** The longest text that is taken, in letters. */
const MAX_TEXT = 1024;

/** The most brackets and commas: 4096 instances with sixty elements each. */
const MAX_SIGNS = 1_000_000;

/** What is wrong with an answer that is {@linkcode isTooLarge}. */
export const TOO_LARGE = `too large: it has more than ${MAX_SIGNS} brackets and commas`;

/** Whether an answer holds far more than a PACS says: a value of two bytes takes fifty in memory. */
export function isTooLarge(bytes: Uint8Array): boolean {
  let signs = 0;
  for (const byte of bytes) {
    const isSign = byte === 0x5b || byte === 0x7b || byte === 0x2c;
    if (isSign && ++signs > MAX_SIGNS) return true;
  }
  return false;
}

/**
 * Reads a list of datasets.
 *
 * @returns `undefined` if the bytes are none, or {@linkcode isTooLarge}
 */
export function parseDicomJson(bytes: Uint8Array): DicomJson[] | undefined {
  const value = _parse(bytes);
  return Array.isArray(value) && value.every(_isDataset) ? value : undefined;
}

/** The same of one dataset. */
export function parseDicomJsonObject(bytes: Uint8Array): DicomJson | undefined {
  const value = _parse(bytes);
  return _isDataset(value) ? value : undefined;
}

/** An element's first text; empty if it has none. */
export function textOf(dataset: DicomJson, tag: string): string {
  const value = dataset[tag]?.Value?.[0];
  return typeof value === "string" ? value.slice(0, MAX_TEXT).trim() : "";
}

/** An element's number, which some write as text. */
export function numberOf(dataset: DicomJson, tag: string): number | undefined {
  const value = dataset[tag]?.Value?.[0];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** How many items a sequence has. */
export function itemsOf(dataset: DicomJson, tag: string): number {
  return dataset[tag]?.Value?.length ?? 0;
}

function _parse(bytes: Uint8Array): unknown {
  if (isTooLarge(bytes)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** Ends at the first element that is none; a schema would make an error for each of a million. */
function _isDataset(value: unknown): value is DicomJson {
  return isRecord(value) &&
    Object.values(value).every((element) =>
      isRecord(element) && (element.vr === undefined || typeof element.vr === "string") &&
      (element.Value === undefined || Array.isArray(element.Value))
    );
}
