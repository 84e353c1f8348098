/**
 * `deno run -A tools/phantom_dicom.ts DATA/SPLIT ID OUT`: an exam of a data set as a scanner would have
 * written it: a DICOM file a slice, under names that say nothing, 12 bits a pixel, in no order. To try
 * `inspect`, `predict` and `import` without a patient's exam.
 */
import { readNpy } from "../lib/data/npy.ts";
import { MRNET_AXES } from "../lib/imaging/geometry.ts";
import { createRandom } from "../lib/random.ts";
import { type Plane, PLANES } from "../lib/terms.ts";
import { dicomSlice } from "../tests/support/dicom.ts";

/** Description, kind, options and times of MRNet's series. */
const SERIES: Readonly<Record<Plane, readonly [string, string, string, number, number]>> = {
  sagittal: ["sag t2 fs", "SE", "FS", 68, 3600],
  coronal: ["cor t1", "SE", "", 12, 640],
  axial: ["ax pd fs", "SE", "FS", 34, 3200],
};
/** From slice to slice and from pixel to pixel, in millimetres. */
const [STEP, PIXEL] = [4, 0.625];

const [split, id, out] = Deno.args;
if (out === undefined) throw new Error("usage: tools/phantom_dicom.ts DATA/SPLIT ID OUT");
await Deno.mkdir(out, { recursive: true });
const random = createRandom(1, "phantom dicom");
for (const [series, plane] of PLANES.entries()) {
  const { shape: [slices, rows, columns], data } = await readNpy(`${split}/${plane}/${id}.npy`);
  const { across, down, through } = MRNET_AXES[plane];
  const [description, sequence, options, echo, repetition] = SERIES[plane];
  for (let slice = 0; slice < slices; slice++) {
    const pixels = data.subarray(slice * rows * columns, (slice + 1) * rows * columns);
    // Around the knee's middle, so that the planes cut each other there.
    const position = through.map((axis, i) =>
      axis * STEP * (slice - (slices - 1) / 2) - across[i] * PIXEL * (columns - 1) / 2 -
      down[i] * PIXEL * (rows - 1) / 2
    );
    const name = `IM${random.integer(2 ** 31).toString(36).toUpperCase()}`;
    await Deno.writeFile(
      `${out}/${name}`,
      dicomSlice({
        ...{ rows, columns, values: Uint16Array.from(pixels, (value) => 8 * value) },
        elements: {
          ...{ "0008,103E LO": description, "0018,0020 CS": sequence, "0018,0022 CS": options },
          ...{ "0018,0080 DS": `${repetition}`, "0018,0081 DS": `${echo}`, "0020,0060 CS": "R" },
          ...{ "0020,000D UI": "2.25.1", "0020,000E UI": `2.25.${series + 2}` },
          "0020,0052 UI": "2.25.9",
          "0020,0032 DS": position.join("\\"),
          "0020,0037 DS": [...across, ...down].join("\\"),
          "0028,0030 DS": `${PIXEL}\\${PIXEL}`,
          ...{ "0028,0101 US": [12], "0028,0102 US": [11] },
        },
      }),
    );
  }
}
