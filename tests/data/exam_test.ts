import assert from "node:assert/strict";
import {
  checkExamHeader,
  examFromNpy,
  MAX_SLICES,
  MIN_SIDE,
  readExam,
  readExamHeader,
} from "../../lib/data/exam.ts";
import { npyHead } from "../support/folders.ts";
import { encodeNpy, type NpyData } from "../../lib/data/npy.ts";

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".npy" });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("an exam of bytes is read as it is", async () => {
  const voxels = Uint8Array.from({ length: 2 * 64 * 80 }, (_, i) => i % 256);
  await withFile(encodeNpy(voxels, [2, 64, 80]), async (path) => {
    assert.deepEqual(await readExam(path, "0012"), {
      id: "0012",
      slices: 2,
      height: 64,
      width: 80,
      voxels,
    });
    const header = await readExamHeader(path);
    assert.deepEqual(
      [header.slices, header.height, header.width, header.dtype, header.dataBytes],
      [2, 64, 80, "uint8", 2 * 64 * 80],
    );
  });
});

Deno.test("bytes are shared with the array, other types become float32", () => {
  const make = (data: NpyData) => examFromNpy({ data, shape: [1, 64, 64] }, "a", "a.npy").voxels;
  const bytes = new Uint8Array(4096).fill(7);
  assert.equal(make(bytes), bytes);
  const floats = new Float32Array(4096).fill(0.5);
  assert.equal(make(floats), floats);
  for (const type of [Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float64Array]) {
    assert.deepEqual(make(new type(4096).fill(7)), new Float32Array(4096).fill(7));
  }
});

for (
  const [shape, found] of [
    [
      [64, 64],
      "its shape is (64, 64), 2 dimensions instead of 3: save it as [slices, height, width]",
    ],
    [[9], "its shape is (9,), 1 dimension instead of 3: save it as [slices, height, width]"],
    [[], "its shape is (), 0 dimensions instead of 3: save it as [slices, height, width]"],
    [
      [1, 64, 64, 3],
      "its shape is (1, 64, 64, 3), 4 dimensions instead of 3: save it as [slices, height, width]",
    ],
    [[0, 64, 64], "its shape is (0, 64, 64), without a slice: export the exam again"],
    [
      [4097, 64, 64],
      "its shape is (4097, 64, 64), 4097 slices where at most 4096 are allowed: " +
      "check that the first axis is the slices",
    ],
    [
      [256, 256, 30],
      "its slices are 256x30 pixels, at least 64x64 are needed: " +
      "export it at full size with the slices as first axis",
    ],
    [
      [30, 63, 64],
      "its slices are 63x64 pixels, at least 64x64 are needed: " +
      "export it at full size with the slices as first axis",
    ],
  ] as const
) {
  Deno.test(`the shape [${shape}] is not an exam's`, () => {
    const refused = { name: "DataError", message: `Cannot use 'a.npy' as an exam: ${found}` };
    assert.throws(() => checkExamHeader({ shape: [...shape], dtype: "uint8" }, "a.npy"), refused);
    const array = { data: new Uint8Array(0), shape: [...shape] };
    assert.throws(() => examFromNpy(array, "a", "a.npy"), refused);
  });
}

Deno.test("the largest and the smallest exam are taken", () => {
  for (const slices of [1, MAX_SLICES]) {
    const shape = [slices, MIN_SIDE, MIN_SIDE];
    assert.deepEqual(checkExamHeader({ shape, dtype: "int64" }, "a.npy"), {
      slices,
      height: 64,
      width: 64,
    });
  }
});

Deno.test("an exam of more voxels than memory should hold is refused by its header", () => {
  const shape = [4096, 512, 128];
  checkExamHeader({ shape, dtype: "uint8" }, "a.npy");
  assert.throws(() => checkExamHeader({ shape: [4096, 512, 129], dtype: "uint8" }, "a.npy"), {
    name: "DataError",
    message:
      "Cannot use 'a.npy' as an exam: its shape is (4096, 512, 129), 270532608 voxels where " +
      "at most 268435456 are allowed, 1 GB as float32: export it with smaller slices",
  });
});

/** A large exam of a type that is written in either order, and the values it has in C order. */
function largeExam(descr: string, itemBytes: number, fortran: boolean): [Uint8Array, number[]] {
  const shape = [3, 640, 700];
  const count = 3 * 640 * 700;
  const head = npyHead(`'${descr}'`, "(3, 640, 700)", fortran);
  const file = new Uint8Array(head.length + count * itemBytes);
  file.set(head);
  const view = new DataView(file.buffer, head.length);
  const inOrder: number[] = [];
  for (let index = 0; index < count; index++) {
    const value = index * 7 % 251;
    const at = index * itemBytes;
    if (descr === "|u1") view.setUint8(at, value);
    else if (descr === "<f2") view.setFloat16(at, value, true);
    else if (descr === ">f4") view.setFloat32(at, value);
    else if (descr === "<i8") view.setBigInt64(at, BigInt(value), true);
    else view.setFloat64(at, value, true);
    const [slice, row] = [index % 3, Math.floor(index / 3) % 640];
    const column = Math.floor(index / 3 / 640);
    inOrder[fortran ? (slice * shape[1] + row) * shape[2] + column : index] = value;
  }
  return [file, inOrder];
}

for (
  const [descr, itemBytes] of [["|u1", 1], ["<f2", 2], [">f4", 4], ["<i8", 8], ["<f8", 8]] as const
) {
  Deno.test(`a large exam of ${descr} is read piece by piece, in either order`, async () => {
    for (const fortran of [false, true]) {
      const [file, values] = largeExam(descr, itemBytes, fortran);
      await withFile(file, async (path) => {
        const { voxels } = await readExam(path, "a");
        const type = descr === "|u1" ? Uint8Array : Float32Array;
        assert.deepEqual(voxels, type.from(values));
      });
    }
  });
}

Deno.test("a number that cannot be exact is named by its index in the file, not in its piece", async () => {
  const [file] = largeExam("<i8", 8, false);
  new DataView(file.buffer).setBigInt64(file.length - 8, 2n ** 60n, true);
  await withFile(file, async (path) => {
    await assert.rejects(readExam(path, "a"), (error: Error) => {
      assert.equal(error.name, "DataError");
      assert.ok(
        error.message.includes(`value ${3 * 640 * 700 - 1} is ${2n ** 60n}`),
        error.message,
      );
      return true;
    });
  });
});

Deno.test("the features leave one pixel of 63 and none of 62", () => {
  const features = (side: number) => {
    const pool = (n: number) => Math.floor((n - 3) / 2) + 1;
    return pool(pool(pool(Math.floor((side + 2 * 2 - 11) / 4) + 1)));
  };
  assert.equal(features(63), 1);
  assert.equal(features(62), 0);
});

Deno.test("an array of truth values is not an exam", async () => {
  const bytes = encodeNpy(new Uint8Array(4096), [1, 64, 64]);
  // After ten bytes of prefix and `{'descr': '`.
  bytes.set(new TextEncoder().encode("|b1"), 21);
  await withFile(bytes, async (path) => {
    await assert.rejects(readExam(path, "a"), {
      name: "DataError",
      message: `Cannot use '${path}' as an exam: its values are True and False: ` +
        "save the grey values as uint8",
    });
  });
});

Deno.test("an array that is not an exam is refused before it is loaded", async () => {
  await withFile(encodeNpy(new Uint8Array(0), [0, 64, 64]), async (path) => {
    await assert.rejects(readExamHeader(path), { name: "DataError" });
    await assert.rejects(readExam(path, "a"), {
      name: "DataError",
      message: `Cannot use '${path}' as an exam: its shape is (0, 64, 64), without a slice: ` +
        "export the exam again",
    });
  });
});

Deno.test("values that are not finite are refused with the position of the first and their number", () => {
  const shape = [3, 64, 80];
  const at = (slice: number, row: number, column: number) => (slice * 64 + row) * 80 + column;
  const refuses = (data: NpyData, found: string) => {
    assert.throws(() => examFromNpy({ data, shape }, "a", "a.npy"), {
      name: "DataError",
      message: `Cannot use 'a.npy' as an exam: ${found}, counted from 0: repair the export`,
    });
  };
  const voxels = new Float32Array(3 * 64 * 80);
  voxels[at(2, 63, 79)] = -Infinity;
  refuses(
    voxels,
    "1 of its values is not finite as float32, the first is -Infinity in slice 2, row 63, column 79",
  );
  voxels[at(1, 5, 7)] = NaN;
  refuses(
    voxels,
    "2 of its values are not finite as float32, the first is NaN in slice 1, row 5, column 7",
  );
  const wide = new Float64Array(3 * 64 * 80);
  wide[at(0, 1, 0)] = 1e39;
  refuses(
    wide,
    "1 of its values is not finite as float32, the first is Infinity in slice 0, row 1, column 0",
  );
});

Deno.test("voxels that are denormal as float32 are zero, whatever the file holds them as", async () => {
  const tiny = [1e-38, -1e-40, 2 ** -149, 1.2e-38, -2, 0];
  const expected = [0, 0, 0, Math.fround(1.2e-38), -2, 0];
  for (const type of [Float32Array, Float64Array]) {
    const data = new type(4096);
    data.set(tiny, 7);
    const before = data.slice();
    const made = examFromNpy({ data, shape: [1, 64, 64] }, "a", "a.npy").voxels;
    assert.deepEqual([...made.subarray(7, 13)], expected);
    assert.deepEqual(data, before, "the array is the caller's");
    await withFile(encodeNpy(data, [1, 64, 64]), async (path) => {
      assert.deepEqual([...(await readExam(path, "a")).voxels.subarray(7, 13)], expected);
    });
  }
});
