/**
 * NIfTI volumes: values, order and planes, and what is refused.
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import { readNifti } from "../../lib/imaging/nifti.ts";
import { examOfSeries } from "../../lib/imaging/volume.ts";
import { niftiFile, type NiftiSpec } from "../support/nifti.ts";

/** Voxels whose value says where they lie: to the right 1, to the front 10, to the head 100 a voxel. */
function positioned(size: readonly number[], axes: readonly number[][]): NiftiSpec {
  const values: number[] = [];
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++) {
        const position = [0, 1, 2].map((x) => axes[0][x] * i + axes[1][x] * j + axes[2][x] * k);
        values.push(5000 + position[0] + 10 * position[1] + 100 * position[2]);
      }
    }
  }
  const affine = [0, 1, 2].map((x) => [axes[0][x], axes[1][x], axes[2][x], 0]);
  return { size, values, affine };
}

async function series(bytes: Uint8Array, name = "knee.nii") {
  using files = await ImagingFiles.find([{ name, bytes }]);
  const found = await findSeries(files);
  assert.deepEqual(found.skipped, []);
  return found.series[0];
}

/** All ways in which axes of voxels can lie along those of a patient, with slices the thickest. */
function orientations(): number[][][] {
  const all: number[][][] = [];
  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    for (let signs = 0; signs < 8; signs++) {
      all.push(order.map((axis, index) => {
        const vector = [0, 0, 0];
        vector[axis] = ((signs >> index) & 1 ? -1 : 1) * (index === 2 ? 4 : 1);
        return vector;
      }));
    }
  }
  return all;
}

/** What grows to the right, to the bottom, and from slice to slice, in MRNet's view. */
const GROWS = {
  // Front to back, head to feet, the patient's right to left.
  sagittal: [-10, -100, -1],
  coronal: [-1, -100, -10],
  axial: [-1, -10, -100],
} as const;

Deno.test("however its axes lie, a volume is seen as MRNet's exams are", async () => {
  for (const axes of orientations()) {
    const found = await series(niftiFile(positioned([64, 64, 12], axes)));
    const plane = found.facts.plane!;
    const slices = (await readNifti(niftiFile(positioned([64, 64, 12], axes)), "a.nii")).slices;
    using decoder = new FrameDecoder();
    const { data, shape } = await examOfSeries(found, decoder);
    assert.deepEqual(shape, [12, 256, 256]);
    const [right, bottom, through] = GROWS[plane];
    const at = (row: number, column: number) => data[(6 * 256 + row) * 256 + column];
    assert.equal(Math.sign(at(128, 200) - at(128, 60)), Math.sign(right), `${plane} ${axes}`);
    assert.equal(Math.sign(at(200, 128) - at(60, 128)), Math.sign(bottom), `${plane} ${axes}`);
    const centre = (slice: number) => slices[slice].stored[32 * 64 + 32];
    assert.equal(centre(7) - centre(6), 4 * through, `${plane} ${axes}`);
  }
});

Deno.test("the axis of slices is that of the longest voxels, wherever it stands", async () => {
  const axes = [[4, 0, 0], [0, -1, 0], [0, 0, 1]];
  const { facts } = await series(niftiFile(positioned([20, 64, 72], axes)));
  const { plane, slices, rows, columns, spacing, sliceDistance } = facts;
  assert.deepEqual({ plane, slices, rows, columns, spacing, sliceDistance }, {
    ...{ plane: "sagittal", slices: 20, rows: 72, columns: 64 },
    ...{ spacing: [1, 1], sliceDistance: 4 },
  });
});

Deno.test("both versions, both byte orders, every type and gzip give the same voxels", async () => {
  const spec = positioned([64, 64, 3], [[1, 0, 0], [0, 1, 0], [0, 0, 4]]);
  const expected = (await readNifti(niftiFile(spec), "a.nii")).slices.map((
    { stored },
  ) => [...stored]);
  for (const version of [1, 2] as const) {
    for (const bigEndian of [false, true]) {
      for (const type of [4, 16, 64] as const) {
        const plain = niftiFile({ ...spec, version, bigEndian, type });
        for (const bytes of [plain, new Uint8Array(gzipSync(plain))]) {
          const { slices, format } = await readNifti(bytes, "a.nii.gz");
          assert.equal(format, `NIfTI-${version}`);
          assert.deepEqual(slices.map(({ stored }) => [...stored]), expected);
        }
      }
    }
  }
});

Deno.test("a slope of 0 is none, and another one is applied", async () => {
  const spec = { size: [64, 64, 1], values: Array(4096).fill(7), type: 2 } as const;
  const [none] = (await readNifti(niftiFile({ ...spec, slope: 0, intercept: 9 }), "a.nii")).slices;
  assert.deepEqual([none.slope, none.intercept], [1, 0]);
  const [some] = (await readNifti(niftiFile({ ...spec, slope: 2, intercept: 9 }), "a.nii")).slices;
  assert.deepEqual([some.slope, some.intercept], [2, 9]);
});

Deno.test("without a transform the plane is not known", async () => {
  const { facts, orientation } = await series(
    niftiFile({ size: [64, 64, 2], values: Array(8192).fill(1) }),
  );
  assert.equal(facts.plane, undefined);
  assert.equal(orientation, undefined);
  assert.match(facts.remarks[0], /do not say where their slices lie/);
});

const SOUND = niftiFile(positioned([64, 64, 3], [[1, 0, 0], [0, 1, 0], [0, 0, 4]]));

function changed(change: (view: DataView<ArrayBuffer>) => void): Uint8Array<ArrayBuffer> {
  const bytes = SOUND.slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

for (
  const [what, bytes, found] of [
    ["is cut short", SOUND.slice(0, -1), "24576 bytes of voxels should begin at byte 352"],
    ["ends in its header", SOUND.slice(0, 349), "does not begin as a NIfTI file does"],
    [
      "holds several volumes",
      changed((v) => (v.setInt16(40, 4, true), v.setInt16(48, 2, true))),
      "several volumes",
    ],
    ["is a plane", changed((v) => v.setInt16(40, 2, true)), "its size is"],
    ["has a negative size", changed((v) => v.setInt16(44, -5, true)), "its size is"],
    ["holds colours", changed((v) => v.setInt16(70, 128, true)), "of type 128"],
    ["points past its end", changed((v) => v.setFloat32(108, 1e9, true)), "cut short"],
    ["has voxels without a length", changed((v) => v.setFloat32(280 + 4 * 0, 0, true)), "measure"],
  ] as const
) {
  Deno.test(`a volume that ${what} is refused in one line`, async () => {
    await assert.rejects(readNifti(bytes, "a.nii"), (error: Error) => {
      assert.equal(error.name, "DataError");
      assert.match(error.message, /^Cannot read the NIfTI file 'a\.nii': [^\n]+: [^\n]+$/);
      assert.ok(error.message.includes(found), error.message);
      return true;
    });
  });
}

Deno.test("values that are no numbers are refused", async () => {
  const bytes = niftiFile({ size: [64, 64, 1], values: [NaN, ...Array(4095).fill(1)], type: 16 });
  await assert.rejects(readNifti(bytes, "a.nii"), /some of its values are not finite/);
});
