/**
 * NIfTI volumes: values, order and planes, and what is refused.
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { concat } from "../../lib/bytes.ts";
import { readNpy } from "../../lib/data/npy.ts";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import { importExams } from "../../lib/imaging/import.ts";
import { inspectPaths } from "../../lib/imaging/inspect.ts";
import { NO_LIMITS } from "../../lib/imaging/limits.ts";
import { NIFTI_BEGIN_BYTES, readNiftiHeader, readNiftiSlices } from "../../lib/imaging/nifti.ts";
import { examOfSeries } from "../../lib/imaging/volume.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { niftiFile, type NiftiSpec, readNifti } from "../support/nifti.ts";

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

/** Columns to the right, rows to the front, slices to the head. */
const AXES = [[1, 0, 0], [0, 1, 0], [0, 0, 4]];
const SOUND = niftiFile(positioned([64, 64, 3], AXES));

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
    const slices = (await readNifti(niftiFile(positioned([64, 64, 12], axes)), "a.nii")).stored;
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
  const expected = (await readNifti(niftiFile(spec), "a.nii")).stored.map((
    { stored },
  ) => [...stored]);
  for (const version of [1, 2] as const) {
    for (const bigEndian of [false, true]) {
      for (const type of [4, 16, 64] as const) {
        const plain = niftiFile({ ...spec, version, bigEndian, type });
        for (const bytes of [plain, new Uint8Array(gzipSync(plain))]) {
          const { stored: slices, format } = await readNifti(bytes, "a.nii.gz");
          assert.equal(format, `NIfTI-${version}`);
          assert.deepEqual(slices.map(({ stored }) => [...stored]), expected);
        }
      }
    }
  }
});

Deno.test("a slope of 0 is none, and another one is applied", async () => {
  const spec = { size: [64, 64, 1], values: Array(4096).fill(7), type: 2 } as const;
  const [none] = (await readNifti(niftiFile({ ...spec, slope: 0, intercept: 9 }), "a.nii")).stored;
  assert.deepEqual([none.slope, none.intercept], [1, 0]);
  const [some] = (await readNifti(niftiFile({ ...spec, slope: 2, intercept: 9 }), "a.nii")).stored;
  assert.deepEqual([some.slope, some.intercept], [2, 9]);
});

Deno.test("volumes of one file are candidates, and the one that is chosen is read", async () => {
  await using folder = await TemporaryFolder.make();
  const { values, affine } = positioned([64, 64, 20], [[0, 1, 0], [0, 0, 1], [4, 0, 0]]);
  // The second echo is upside down.
  const echoes = [...Array.from(values), ...Array.from(values).toReversed()];
  const plain = niftiFile({ size: [64, 64, 20, 2], values: echoes, affine });
  for (const bytes of [plain, new Uint8Array(gzipSync(plain))]) {
    const path = { name: bytes === plain ? "knee.nii" : "knee.nii.gz", bytes };
    const out = folder.at(path.name);
    const { open, exams } = await importExams({ paths: [path], out });
    assert.deepEqual(exams, []);
    assert.deepEqual(open.map(({ plane, candidates }) => [plane, candidates.map((c) => c.part)]), [
      ["sagittal", ["volume 1 of 2", "volume 2 of 2"]],
    ]);
    const { series } = await inspectPaths([path]);
    assert.equal(new Set(series.map(({ sha256 }) => sha256)).size, 2);
    const chosen: Uint8Array[] = [];
    for (const volume of [1, 2]) {
      const into = `${out}${volume}`;
      const series = [{ text: `*volume ${volume} of*` }];
      assert.deepEqual((await importExams({ paths: [path], out: into, series })).open, []);
      chosen.push((await readNpy(`${into}/valid/sagittal/knee.npy`)).data as Uint8Array);
    }
    assert.deepEqual(chosen[1], chosen[0].toReversed());
  }
});

Deno.test("of a file only its beginning is read for the header, gzipped or not", async () => {
  const noise = Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 2654435761) % 32749);
  const plain = niftiFile({ ...positioned([64, 64, 3], AXES), values: noise });
  for (const whole of [plain, new Uint8Array(gzipSync(plain))]) {
    const begin = whole.slice(0, NIFTI_BEGIN_BYTES);
    assert.ok(begin.length < whole.length);
    const header = await readNiftiHeader(begin, "a.nii.gz");
    assert.deepEqual(header, await readNiftiHeader(whole, "a.nii.gz"));
    const [first] = readNiftiSlices(whole, "a.nii.gz", header, NO_LIMITS);
    assert.equal(first.stored.length, 64 * 64);
    const other = niftiFile(positioned([64, 64, 4], AXES));
    assert.throws(() => readNiftiSlices(other, "a.nii.gz", header, NO_LIMITS), {
      message: "Cannot read the NIfTI file 'a.nii.gz': it changed while it was read: try again",
    });
  }
});

Deno.test("without a transform the plane is not known", async () => {
  const { facts, orientation } = await series(
    niftiFile({ size: [64, 64, 2], values: Array(8192).fill(1) }),
  );
  assert.equal(facts.plane, undefined);
  assert.equal(orientation, undefined);
  assert.match(facts.remarks[0], /do not say where their slices lie/);
});

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
      "holds very many volumes",
      changed((v) => (v.setInt16(40, 4, true), v.setInt16(48, 65, true))),
      "65 volumes (64×64×3×65), at most 64 are read",
    ],
    [
      "holds fewer volumes than it says",
      changed((v) => (v.setInt16(40, 4, true), v.setInt16(48, 2, true))),
      "49152 bytes of voxels should begin at byte 352, it has 24928",
    ],
    [
      "holds vectors",
      changed((v) => (v.setInt16(40, 5, true), v.setInt16(50, 3, true))),
      "its voxels are vectors (64×64×3×1×3)",
    ],
    ["is gzipped and damaged", new Uint8Array(gzipSync(SOUND)).with(12, 255), "cannot be inflated"],
    [
      "is gzipped and cut short",
      new Uint8Array(gzipSync(SOUND)).slice(0, -9),
      "it cannot be inflated (unexpected end of file)",
    ],
    ["is gzipped text", new Uint8Array(gzipSync("no volume")), "does not begin as a NIfTI file"],
    ["is a plane", changed((v) => v.setInt16(40, 2, true)), "its size is"],
    ["has a negative size", changed((v) => v.setInt16(44, -5, true)), "its size is"],
    ["holds colours", changed((v) => v.setInt16(70, 128, true)), "of type 128"],
    ["points past its end", changed((v) => v.setFloat32(108, 1e9, true)), "cut short"],
    ["has voxels without a length", changed((v) => v.setFloat32(280 + 4 * 0, 0, true)), "measure"],
  ] as const
) {
  Deno.test(`a volume that ${what} is refused in one line`, async () => {
    await assert.rejects(readNifti(bytes, "a.nii.gz"), (error: Error) => {
      assert.equal(error.name, "DataError");
      assert.match(error.message, /^Cannot read the NIfTI file 'a\.nii\.gz': [^\n]+: [^\n]+$/);
      assert.ok(error.message.includes(found), error.message);
      return true;
    });
  });
}

Deno.test("a volume that inflates to more than its header says is stopped", async () => {
  const bomb = new Uint8Array(gzipSync(concat([SOUND, new Uint8Array(32 * 2 ** 20)])));
  assert.ok(bomb.length < 100_000);
  const header = await readNiftiHeader(bomb, "a.nii.gz");
  const limits = { inflatedBytes: 2 * SOUND.length };
  assert.throws(() => readNiftiSlices(bomb, "a.nii.gz", header, limits), {
    name: "DataError",
    message:
      /^Cannot read the NIfTI file 'a\.nii\.gz': it cannot be inflated \(.*\): copy it again$/,
  });
});

Deno.test("values that are no numbers are refused", async () => {
  const bytes = niftiFile({ size: [64, 64, 1], values: [NaN, ...Array(4095).fill(1)], type: 16 });
  await assert.rejects(readNifti(bytes, "a.nii"), /some of its values are not finite/);
});
