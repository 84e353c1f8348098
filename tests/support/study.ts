/**
 * A patient's study as a scanner writes it, for tests.
 */
import { dicomSlice, type DicomValue } from "./dicom.ts";

/** How the slices of each plane lie. */
export const DIRECTIONS = {
  sagittal: "0\\1\\0\\0\\0\\-1",
  coronal: "1\\0\\0\\0\\0\\-1",
  axial: "1\\0\\0\\0\\1\\0",
} as const;

/** The files of a patient's study: three planes of 18 slices, by name. */
export function study(
  number: number,
  more: Record<string, DicomValue> = {},
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const [at, [plane, direction]] of Object.entries(DIRECTIONS).entries()) {
    for (let slice = 0; slice < 18; slice++) {
      const position = [0, 0, 0];
      position[at] = 4 * slice;
      files.set(
        `${plane}/IM${slice}`,
        dicomSlice({
          rows: 64,
          columns: 64,
          values: Array.from({ length: 4096 }, (_, i) => 100 * number + slice + i % 64),
          elements: {
            "0010,0010 PN": "Doe^Jane",
            "0010,0020 LO": `MRN${number}-SECRET`,
            "0010,0030 DA": "19700102",
            "0008,103E LO": `${plane} Doe scan`,
            "0020,000D UI": `2.25.7${number}`,
            "0020,000E UI": `2.25.7${number}${at}`,
            "0020,0032 DS": position.join("\\"),
            "0020,0037 DS": direction,
            "0020,0060 CS": "L",
            ...more,
          },
        }),
      );
    }
  }
  return files;
}
