/**
 * Files that claim to be the same instance: copies, of which one counts, or several that a careless
 * program gave one identifier, of which each counts.
 */
import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import { pixelFile, type ReadDicomOptions } from "./dicom/file.ts";
import type { InstanceHeader } from "./dicom/header.ts";
import type { ImagingFile } from "./files.ts";

/** How files are compared. */
interface CopyOptions extends Pick<ReadDicomOptions, "maxInflated"> {
  onFile?: () => void | Promise<void>;
}

/**
 * Gives each instance that shares its identifier with others, but not its content, an identifier of its
 * own. The same picture in two transfer syntaxes counts as two: they may differ.
 *
 * @param files by name; only those whose identifiers repeat are read
 * @param options what is called after each file, and awaited, and how much may be read
 * @returns the headers in the same order
 * @throws what `onFile` throws
 */
export async function tellCopiesApart(
  headers: readonly InstanceHeader[],
  files: ReadonlyMap<string, ImagingFile>,
  { onFile, ...options }: CopyOptions = {},
): Promise<InstanceHeader[]> {
  const told = new Map<InstanceHeader, InstanceHeader>();
  for (const [instance, same] of Map.groupBy(headers, (header) => header.instance)) {
    // Files without an identifier are nobody's copies.
    if (instance === "" || same.length < 2) continue;
    const contents = new Map<InstanceHeader, string>();
    for (const header of same) {
      contents.set(header, await _contentOf(files.get(header.file)!, header, options));
      await onFile?.();
    }
    if (new Set(contents.values()).size === 1) continue;
    for (const [header, content] of contents) {
      told.set(header, { ...header, instance: `${instance} ${content}`, sharesIdentifier: true });
    }
  }
  return headers.map((header) => told.get(header) ?? header);
}

/** A hash of what makes a file's slices: where each lies, what its values mean, and its stored bytes. */
async function _contentOf(
  file: ImagingFile,
  header: InstanceHeader,
  options: Pick<ReadDicomOptions, "maxInflated">,
): Promise<string> {
  const { study, series, layout, frames, padding, pixels: { offset, length } } = header;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([study, series, layout, frames, padding]));
  try {
    hash.update(pixelFile(await file.read(), header, options).subarray(offset, offset + length));
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // Whoever reads its pixels says what is wrong with it.
    hash.update(file.name);
  }
  return hash.digest("hex");
}
