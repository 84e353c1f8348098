/** The elements of a DICOM file up to its pixels, by the only package that parses DICOM here. */
import { inflateRawSync } from "node:zlib";
import type { DataSet } from "npm:dicom-parser@1.8.21";
import { concat, LARGE_PIECES } from "../../bytes.ts";
import { DataError, messageOf, withoutControls } from "../../errors.ts";

export type { DataSet };

/** The pixel data, where parsing stops. */
export const PIXEL_DATA = "x7fe00010";

/** A deflated file may become this large, in bytes: 600 slices of 512×512 with 16 bits are 315 MB. */
export const MAX_INFLATED = 512 * 2 ** 20;

/**
 * How often the package may read from a file: elements take some six reads each. It makes an object of
 * each, so that 64 MB of elements of 8 bytes took 1.5 GB and 22 s. A file of
 * 3,000 frames with 50 elements each is read.
 */
const MAX_READS = 1_000_000;

/** How a file is parsed. */
export interface ParseOptions {
  /** The file's name, for messages. */
  file: string;
  /**
   * How large a deflated file may become, in bytes.
   * @default MAX_INFLATED
   */
  maxInflated?: number;
}

/** The elements of a file, of which that of the pixels is the last: where they lie, not what they are. */
export interface ParsedHeader {
  readonly data: DataSet;
  /** From where on the file is deflated; positions in it are those in the inflated file. */
  readonly deflatedFrom?: number;
}

/**
 * Parses a DICOM file up to its pixels. The package is loaded with the first one.
 *
 * @param bytes the file, or its beginning
 * @throws {DataError} if the bytes are no DICOM file, are damaged, or inflate beyond {@linkcode MAX_INFLATED}
 */
export async function parseDicom(
  bytes: Uint8Array,
  { file, maxInflated = MAX_INFLATED }: ParseOptions,
): Promise<ParsedHeader> {
  if (!isDicom(bytes)) {
    throw refused(file, "it does not begin as a DICOM file does", "leave it out");
  }
  const { default: parser } = await import("npm:dicom-parser@1.8.21");
  try {
    const reads: Reads = { left: MAX_READS };
    let deflatedFrom: number | undefined;
    const inflater = (bytes: Uint8Array, position: number) => {
      deflatedFrom = position;
      return _counted(_inflate(bytes, position, maxInflated), reads);
    };
    const data = parser.parseDicom(_counted(bytes, reads), {
      untilTag: PIXEL_DATA,
      // The package's types forget what the function returns.
      inflater: inflater as unknown as (bytes: Uint8Array, position: number) => void,
    });
    reads.left = Infinity;
    return { data, deflatedFrom };
  } catch (thrown) {
    throw refused(file, _reason(thrown, maxInflated), "send the file again from where it came");
  }
}

/** True if the bytes begin as a DICOM file does: 128 bytes for others' use, then `DICM`. */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === "DICM";
}

/** The error of a DICOM file that cannot be read. */
export function refused(file: string, found: string, hint: string): DataError {
  // What was found may quote what the file says.
  const shown = withoutControls(found);
  return new DataError(`Cannot read the DICOM file '${file}': ${shown}: ${hint}`);
}

/** How often a file may still be read from. */
interface Reads {
  left: number;
}

/** A view that may be read so often: the package asks for the length before each read. */
function _counted(bytes: Uint8Array, reads: Reads): Uint8Array {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  return Object.defineProperty(view, "length", {
    get() {
      if (--reads.left < 0) throw new Error("it has too many elements");
      return length;
    },
  });
}

/**
 * A file with all after a position inflated.
 *
 * @throws {DataError} if that is damaged, or inflates beyond the limit
 */
export function inflateDicom(
  bytes: Uint8Array,
  position: number,
  { file, maxInflated = MAX_INFLATED }: ParseOptions,
): Uint8Array {
  try {
    return _inflate(bytes, position, maxInflated);
  } catch (thrown) {
    throw refused(file, _reason(thrown, maxInflated), "send the file again from where it came");
  }
}

function _inflate(bytes: Uint8Array, position: number, maxInflated: number): Uint8Array {
  const maxOutputLength = Math.min(maxInflated, MAX_INFLATED);
  const rest = inflateRawSync(bytes.subarray(position), { ...LARGE_PIECES, maxOutputLength });
  return concat([bytes.subarray(0, position), rest]);
}

/** What went wrong; the package throws texts and objects, not errors. */
function _reason(thrown: unknown, maxInflated: number): string {
  if (thrown instanceof RangeError && /call stack/.test(thrown.message)) {
    return "its sequences are nested too deeply";
  }
  if (thrown instanceof Error && (thrown as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
    return `it inflates to more than ${Math.min(maxInflated, MAX_INFLATED) / 2 ** 20} MB`;
  }
  if (typeof thrown === "object" && thrown !== null && "exception" in thrown) {
    return `it is damaged (${messageOf(thrown.exception)})`;
  }
  return `it is damaged (${messageOf(thrown)})`;
}
