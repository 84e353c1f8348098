/**
 * Draws docs/images/phantoms.png: one made-up knee in the three planes, healthy in the rows with odd
 * numbers, with a torn ligament and all that comes with it in the rows below them.
 *
 * ```sh
 * deno run -A tools/phantom_sheet.ts
 * ```
 */
import { encode } from "npm:fast-png@8.0.0";
import { renderPhantom } from "../lib/phantom/mod.ts";
import { writeWhole } from "../lib/files.ts";
import type { Plane } from "../lib/terms.ts";

const SIZE = 192;
const GAP = 3;
/** Which slices of 25 are shown, in each plane those in which the injuries lie. */
const SHOWN: readonly (readonly [Plane, readonly number[]])[] = [
  ["sagittal", [7, 10, 12, 14]],
  ["coronal", [8, 10, 12, 14]],
  ["axial", [8, 10, 12, 14]],
];

const knee = (acl: 0 | 1) =>
  renderPhantom({
    seed: 12,
    exam: "sheet",
    size: SIZE,
    slices: 25,
    findings: { abnormal: acl, acl, meniscus: acl },
  });
const rows = SHOWN.flatMap(([plane, slices]) =>
  [knee(0), knee(1)].map((exam) => ({ series: exam[plane], slices }))
);

const width = 4 * SIZE + 3 * GAP;
const height = rows.length * SIZE + (rows.length - 1) * GAP;
const data = new Uint8Array(width * height).fill(255);
rows.forEach(({ series, slices }, row) => {
  slices.forEach((slice, column) => {
    for (let y = 0; y < SIZE; y++) {
      const from = (slice * SIZE + y) * SIZE;
      const to = (row * (SIZE + GAP) + y) * width + column * (SIZE + GAP);
      data.set(series.voxels.subarray(from, from + SIZE), to);
    }
  });
});
await Deno.mkdir("docs/images", { recursive: true });
await writeWhole(
  "docs/images/phantoms.png",
  encode({ width, height, data, channels: 1, depth: 8 }),
);
