/** Which instance a DICOM file is, whatever it holds. */
import { messageOf } from "../../errors.ts";
import { type DataSet, parseDicom, refused } from "./dataset.ts";
import { isUid } from "./uid.ts";

/** The identifiers of an instance; empty where the file has none. */
export interface DicomIdentity {
  /** Study Instance UID. */
  study: string;
  /** Series Instance UID. */
  series: string;
  /** SOP Instance UID. */
  instance: string;
  /** SOP Class UID. */
  kind: string;
}

/**
 * Reads the identifiers of a file.
 *
 * @param file its name, for messages
 * @throws {DataError} if it is no DICOM file, or is damaged
 */
export async function readDicomIdentity(bytes: Uint8Array, file: string): Promise<DicomIdentity> {
  const { data } = await parseDicom(bytes, { file });
  try {
    return {
      study: _uid(data, "x0020000d"),
      series: _uid(data, "x0020000e"),
      instance: _uid(data, "x00080018"),
      kind: _uid(data, "x00080016"),
    };
  } catch (thrown) {
    // Parsed, an element may still claim more bytes than the file has.
    const found = `it is damaged (${messageOf(thrown)})`;
    throw refused(file, found, "send the file again from where it came");
  }
}

/** An identifier; what is none counts as missing. */
function _uid(data: DataSet, tag: string): string {
  const text = data.string(tag)?.replace(/[\s\0]+$/, "") ?? "";
  return isUid(text) ? text : "";
}
