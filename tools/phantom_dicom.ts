/**
 * `deno run -A tools/phantom_dicom.ts SEED OUT`: a made-up knee as a scanner would have written it: a DICOM
 * file a slice, under names that say nothing, 12 bits a pixel, in no order, each where it lies in the
 * patient. To try `inspect`, `predict`, `import` and the viewer without a patient's exam.
 */
import { MRNET_AXES } from "../lib/imaging/geometry.ts";
import { renderPhantom } from "../lib/phantom/mod.ts";
import { createRandom } from "../lib/random.ts";
import { type Plane, PLANES } from "../lib/terms.ts";
import { dicomSlice } from "../tests/support/dicom.ts";

const MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4";

/** Description, kind, options and times of MRNet's series. */
const SERIES: Readonly<Record<Plane, readonly [string, string, string, number, number]>> = {
  sagittal: ["sag t2 fs", "SE", "FS", 68, 3600],
  coronal: ["cor t1", "SE", "", 12, 640],
  axial: ["ax pd fs", "SE", "FS", 34, 3200],
};

const [seed, out] = Deno.args;
if (out === undefined || !/^\d{1,9}$/.test(seed)) {
  throw new Error("usage: tools/phantom_dicom.ts SEED OUT");
}
/** An identifier of this knee's own, so that a PACS can have several. */
const uid = (number: number) => `2.25.${1000 * Number(seed) + number}`;
let instances = 100;
await Deno.mkdir(out, { recursive: true });
const random = createRandom(Number(seed), "phantom dicom");
const exam = renderPhantom({
  ...{ seed: Number(seed), findings: { abnormal: 1, acl: 1, meniscus: 1 }, size: 256 },
  slices: { sagittal: 22, coronal: 24, axial: 26 },
});
for (const [series, plane] of PLANES.entries()) {
  const { voxels, slices, size, pixelSpacing, sliceSpacing, centre: [x, y, below] } = exam[plane];
  const { across, down, through } = MRNET_AXES[plane];
  const [description, sequence, options, echo, repetition] = SERIES[plane];
  for (let slice = 0; slice < slices; slice++) {
    const pixels = voxels.subarray(slice * size * size, (slice + 1) * size * size);
    const corner = -(size - 1) / 2 * pixelSpacing;
    const along = (slice - (slices - 1) / 2) * sliceSpacing;
    // The phantom counts downwards, DICOM to the head.
    const position = [x, y, -below].map((middle, axis) =>
      middle + along * through[axis] + corner * (across[axis] + down[axis])
    );
    const name = `IM${random.integer(2 ** 31).toString(36).toUpperCase()}`;
    await Deno.writeFile(
      `${out}/${name}`,
      dicomSlice({
        ...{ rows: size, columns: size },
        values: Uint16Array.from(pixels, (value) => 8 * value),
        elements: {
          ...{ "0008,0016 UI": MR_IMAGE, "0008,0018 UI": uid(instances++) },
          ...{ "0008,0020 DA": "20260131", "0008,1030 LO": `MR knee ${exam.anatomy.side}` },
          ...{ "0008,103E LO": description, "0018,0015 CS": "KNEE" },
          ...{ "0018,0020 CS": sequence, "0018,0022 CS": options },
          ...{ "0018,0080 DS": `${repetition}`, "0018,0081 DS": `${echo}` },
          "0020,0060 CS": exam.anatomy.side === "left" ? "L" : "R",
          ...{ "0020,000D UI": uid(1), "0020,000E UI": uid(series + 2) },
          "0020,0032 DS": position.map((each) => each.toFixed(4)).join("\\"),
          "0020,0037 DS": [...across, ...down].join("\\"),
          "0020,0052 UI": uid(9),
          "0028,0030 DS": [pixelSpacing, pixelSpacing].map((each) => each.toFixed(6)).join("\\"),
          ...{ "0028,0101 US": [12], "0028,0102 US": [11] },
        },
      }),
    );
  }
}
