/** DICOM as JSON (PS3.18, annex F): what a PACS says of studies, series and instances. */
import { z } from "../zod.ts";

/** Elements by their tags, `0020000D`. */
export type DicomJson = z.infer<typeof DATASET>;

const ELEMENT = z.object({ vr: z.string().optional(), Value: z.array(z.unknown()).optional() });
const DATASET = z.record(z.string(), ELEMENT);
const DATASETS = z.array(DATASET);

/** The longest text that is taken, in letters. */
const MAX_TEXT = 1024;

/**
 * Reads a list of datasets.
 *
 * @returns `undefined` if the bytes are none
 */
export function parseDicomJson(bytes: Uint8Array): DicomJson[] | undefined {
  try {
    const { success, data } = DATASETS.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return success ? data : undefined;
  } catch {
    return undefined;
  }
}

/** The same of one dataset. */
export function parseDicomJsonObject(bytes: Uint8Array): DicomJson | undefined {
  try {
    const { success, data } = DATASET.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return success ? data : undefined;
  } catch {
    return undefined;
  }
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
