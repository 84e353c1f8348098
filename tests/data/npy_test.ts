import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@4.10.2";
import { DataError, PermissionError } from "../../lib/errors.ts";
import {
  decodeNpy,
  encodeNpy,
  type NpyData,
  type NpyDtype,
  parseNpyHeader,
  readNpy,
  readNpyHeader,
} from "../../lib/data/npy.ts";
import { testWithPython } from "../support/python.ts";

const FIXTURES = `${import.meta.dirname}/../fixtures/npy`;
const SAVE = "save it again with numpy.save";

function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(`${FIXTURES}/${name}.npy`);
}

/** The values of tools/make_npy_fixtures.py, by type and index in C order. */
const expected: Record<NpyDtype, (i: number) => number> = {
  bool: (i) => i % 3 === 0 ? 1 : 0,
  int8: (i) => i * 5 - 60,
  int16: (i) => i * 2500 - 30000,
  int32: (i) => (i - 12) * 170_000_000,
  int64: (i) => (i - 12) * 2 ** 49 + i,
  uint8: (i) => i * 11,
  uint16: (i) => i * 2800,
  uint32: (i) => i * 180_000_000,
  uint64: (i) => i * 2 ** 48 + i,
  float16: (i) => i * 0.75 - 8,
  float32: (i) => i * 0.75 - 8,
  float64: (i) => i / 3,
};

/** What each type becomes in memory. */
const inMemory: Record<NpyDtype, string> = {
  bool: "Uint8Array",
  int8: "Int8Array",
  int16: "Int16Array",
  int32: "Int32Array",
  int64: "Float64Array",
  uint8: "Uint8Array",
  uint16: "Uint16Array",
  uint32: "Uint32Array",
  uint64: "Float64Array",
  float16: "Float32Array",
  float32: "Float32Array",
  float64: "Float64Array",
};

function values(dtype: NpyDtype, count = 24): number[] {
  return Array.from({ length: count }, (_, i) => expected[dtype](i));
}

/** A file with this header and so many bytes of data. */
function withHeader(header: string, dataBytes: number, version = 1): Uint8Array<ArrayBuffer> {
  const head = Uint8Array.from(header, (character) => character.charCodeAt(0));
  const fixed = version === 1 ? 10 : 12;
  const file = new Uint8Array(fixed + head.length + dataBytes);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(file.buffer);
  if (version === 1) view.setUint16(8, head.length, true);
  else view.setUint32(8, head.length, true);
  file.set(head, fixed);
  return file;
}

/** A header that claims this shape and type. */
function claims(shape: string, descr = "|u1"): string {
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
}

function refuses(bytes: Uint8Array, found: string): void {
  assert.throws(() => decodeNpy(bytes, "a/b.npy"), (error) => {
    assert(error instanceof DataError);
    assert.equal(error.message, `Cannot read 'a/b.npy' as .npy: ${found}`);
    return true;
  });
}

for (const dtype of Object.keys(expected) as NpyDtype[]) {
  Deno.test(`a file of ${dtype} by NumPy gives its values in either order of axes and bytes`, () => {
    const oneByte = ["bool", "int8", "uint8"].includes(dtype);
    for (const endian of oneByte ? ["le"] : ["le", "be"]) {
      for (const order of ["c", "f"]) {
        const bytes = fixture(`${dtype}_${endian}_${order}`);
        const header = parseNpyHeader(bytes, bytes.length, "x");
        assert.equal(header.dtype, dtype);
        assert.equal(header.littleEndian, endian === "le");
        assert.equal(header.fortranOrder, order === "f");
        const { data, shape } = decodeNpy(bytes, "x");
        assert.deepEqual(shape, [2, 3, 4]);
        assert.equal(data.constructor.name, inMemory[dtype]);
        assert.deepEqual(Array.from(data), values(dtype));
      }
    }
  });
}

Deno.test("the three versions of the format are read", () => {
  for (const version of [2, 3]) {
    const bytes = decodeNpy(fixture(`version${version}_uint8`), "x");
    assert.deepEqual(Array.from(bytes.data), values("uint8"));
    const floats = decodeNpy(fixture(`version${version}_float32_be_f`), "x");
    assert.deepEqual(Array.from(floats.data), values("float32"));
  }
});

Deno.test("any number of axes is read, in either order", () => {
  assert.deepEqual(decodeNpy(fixture("axes0"), "x"), { data: Float32Array.of(2.5), shape: [] });
  for (const name of ["axes1", "axes1_f"]) {
    const { data, shape } = decodeNpy(fixture(name), "x");
    assert.deepEqual([Array.from(data), shape], [values("uint8", 3), [3]]);
  }
  const five = decodeNpy(fixture("axes5_f"), "x");
  assert.deepEqual([Array.from(five.data), five.shape], [values("uint8"), [1, 2, 3, 1, 4]]);
  const none = decodeNpy(fixture("empty"), "x");
  assert.deepEqual([none.data.length, none.shape], [0, [0, 256, 256]]);
});

Deno.test("a file of Python 2 with a long integer in its shape is read", () => {
  const { data, shape } = decodeNpy(fixture("python2"), "x");
  assert.deepEqual(shape, [3, 4]);
  assert.deepEqual(Array.from(data), values("float32", 12));
});

Deno.test("a header may have its keys in any order, other blanks and other quotes", () => {
  for (
    const header of [
      "{'shape':(2,3),'fortran_order':False,'descr':'|u1'}",
      '  { "descr" :\t"u1" ,\n "shape" : ( 2 , 3 , ) , "fortran_order" : False , } \n\n',
      "{'descr': '<u1', 'fortran_order': False, 'shape': (2L, 3L)}",
      "{u'descr': u'|u1', u'fortran_order': False, u'shape': (2L, 3L)}",
    ]
  ) assert.deepEqual(decodeNpy(withHeader(header, 6), "x").shape, [2, 3]);
});

Deno.test("the header can be had without the rest, however long it is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/exam.npy`;
    await Deno.writeFile(path, withHeader(claims("(64, 1024, 1024)").padEnd(50_000), 0, 2));
    await Deno.truncate(path, 50_012 + 64 * 1024 * 1024);
    assert.deepEqual(await readNpyHeader(path), {
      descr: "|u1",
      dtype: "uint8",
      itemBytes: 1,
      littleEndian: true,
      fortranOrder: false,
      shape: [64, 1024, 1024],
      dataOffset: 50_012,
      dataBytes: 64 * 1024 * 1024,
    });
    await Deno.truncate(path, 60_000);
    const found = "its header claims 67 108 864 bytes of data but the file holds 9 988: " +
      "it is truncated, copy it again";
    const refused = {
      name: "DataError",
      message: `Cannot read '${path}' as .npy: ${found}`,
    };
    await assert.rejects(readNpyHeader(path), refused);
    await assert.rejects(readNpy(path), refused);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a whole file is read from disk", async () => {
  const { data, shape } = await readNpy(`${FIXTURES}/float32_be_f.npy`);
  assert.deepEqual([Array.from(data), shape], [values("float32"), [2, 3, 4]]);
});

Deno.test("a header needs its own bytes only", () => {
  const bytes = fixture("int16_le_c");
  const header = parseNpyHeader(bytes.subarray(0, 128), bytes.length, "x");
  assert.equal(header.dataBytes, 48);
  assert.throws(() => parseNpyHeader(bytes.subarray(0, 127), bytes.length, "x"), {
    name: "RangeError",
    message: "The header ends at byte 128: only 127 were given",
  });
});

Deno.test("values that are as they should be in memory are not copied", () => {
  for (const name of ["uint8_le_c", "float32_le_c", "float64_le_c"]) {
    const bytes = fixture(name);
    const { data } = decodeNpy(bytes, "x");
    assert.equal(data.buffer, bytes.buffer);
    assert.equal(data.byteOffset, 128);
  }
});

Deno.test("a file that lies unaligned within other bytes is read", () => {
  for (const dtype of ["uint8", "int16", "float32", "float64", "int64", "float16"] as const) {
    const file = fixture(`${dtype}_le_c`);
    for (let shift = 1; shift < 8; shift++) {
      const around = Buffer.alloc(file.length + 16);
      around.set(file, shift);
      const { data } = decodeNpy(around.subarray(shift, shift + file.length), "x");
      assert.deepEqual(Array.from(data), values(dtype));
      assert.equal(data.constructor.name, inMemory[dtype]);
    }
  }
});

Deno.test("decodeNpy shows the header before it decodes a number", () => {
  const bytes = withHeader(claims("(1,)", "<i8"), 8);
  bytes.fill(0x7f, bytes.length - 8);
  const shapes: number[][] = [];
  assert.throws(() => decodeNpy(bytes, "x", ({ shape }) => shapes.push(shape)), /is beyond/);
  assert.deepEqual(shapes, [[1]]);
  const check = () => {
    throw new RangeError("too large");
  };
  assert.throws(() => decodeNpy(bytes, "x", check), /^RangeError: too large$/);
});

Deno.test("64-bit integers are exact, and refused where a float64 cannot hold them", () => {
  const file = (descr: string, value: bigint) => {
    const bytes = withHeader(claims("(2,)", descr), 16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(bytes.length - 8, BigInt.asUintN(64, value), true);
    return bytes;
  };
  for (const [descr, value] of [["<i8", 2n ** 53n - 1n], ["<i8", 1n - 2n ** 53n]] as const) {
    assert.deepEqual(Array.from(decodeNpy(file(descr, value), "x").data), [0, Number(value)]);
  }
  for (
    const [descr, value] of [
      ["<i8", 2n ** 53n],
      ["<i8", -(2n ** 53n)],
      ["<i8", -(2n ** 63n)],
      ["<u8", 2n ** 64n - 1n],
    ] as const
  ) {
    const found = `value 1 is ${value}, which is beyond ±(2^53 - 1) and would be rounded: ` +
      "save the array as float64 or as smaller integers";
    refuses(file(descr, value), found);
  }
});

Deno.test("a file that is not .npy is refused with what it is", () => {
  refuses(new Uint8Array(0), "the file is empty: copy it again");
  refuses(
    new TextEncoder().encode("0000,1\n"),
    "it begins with the bytes 30 30 30 30 2c 31, not with 93 4e 55 4d 50 59: " +
      "give a file that numpy.save wrote",
  );
  refuses(fixture("refused_npz"), "it is a ZIP archive, perhaps .npz: unpack it first");
  const later = fixture("uint8_le_c");
  later[6] = 4;
  refuses(later, `its format version is 4.0, known are 1.0, 2.0 and 3.0: ${SAVE}`);
});

Deno.test("a file that ends early or late is refused with both sizes", () => {
  const whole = fixture("uint16_le_c");
  refuses(
    whole.subarray(0, 8),
    "the file holds 8 bytes, less than the shortest header: it is truncated, copy it again",
  );
  refuses(
    whole.subarray(0, 100),
    "its header ends at byte 128 but the file holds 100: it is truncated, copy it again",
  );
  refuses(
    whole.subarray(0, 175),
    "its header claims 48 bytes of data but the file holds 47: it is truncated, copy it again",
  );
  refuses(
    Uint8Array.of(...whole, 0),
    "its header claims 48 bytes of data but the file holds 49: " +
      `the rest is not part of the array, ${SAVE}`,
  );
});

/** How NumPy may spell each type in a header, beside what `numpy.save` writes. */
const SPELLINGS: Record<string, string> = {
  bool: "|b1 b1 <b1 ? |? >? bool bool_",
  int8: "|i1 i1 <i1 b |b >b int8 byte",
  int16: "<i2 >i2 =i2 |i2 i2 h >h int16 short",
  int32: "<i4 >i4 =i4 i4 i >i int32 intc",
  int64: "<i8 >i8 =i8 i8 l q >q p int64 int int_ long longlong intp",
  uint8: "|u1 u1 <u1 >u1 =u1 B |B uint8 ubyte",
  uint16: "<u2 >u2 =u2 |u2 u2 H >H uint16 ushort",
  uint32: "<u4 >u4 =u4 u4 I >I uint32 uintc",
  uint64: "<u8 >u8 =u8 u8 L Q >Q P uint64 uint ulong ulonglong uintp",
  float16: "<f2 >f2 =f2 f2 e >e float16 half",
  float32: "<f4 >f4 =f4 |f4 f4 f >f float32 single",
  float64: "<f8 >f8 =f8 f8 d >d float64 float double",
};

/** What NumPy does not read, or reads as something else than a number of at most eight bytes. */
const NO_SPELLINGS =
  "<float32 >int16 |bool =uint8 Float32 UINT8 u3 i0 b2 f1 f16 g longdouble B1 I4 " +
  "f4f4 float128 <<f4 str object c8 complex64 S1 U1 O V4 D int128 float8 w x <";

Deno.test("every spelling of a type that NumPy reads is read", () => {
  for (const [dtype, spellings] of Object.entries(SPELLINGS)) {
    const bytes = Number(/\d+$/.exec(dtype)?.[0] ?? 8) / 8;
    for (const descr of spellings.split(" ")) {
      const file = withHeader(claims("(2,)", descr), 2 * bytes);
      const header = parseNpyHeader(file, file.length, "x");
      assert.equal(header.dtype, dtype, descr);
      assert.equal(header.itemBytes, bytes, descr);
      assert.equal(header.littleEndian, bytes === 1 || !descr.startsWith(">"), descr);
      assert.equal(header.descr, descr);
    }
  }
  for (const descr of NO_SPELLINGS.split(" ")) {
    const file = withHeader(claims("(0,)", descr), 0);
    assert.throws(() => decodeNpy(file, "x"), /save it as uint8 or float32$/, descr);
  }
});

testWithPython("NumPy reads these spellings so, and no others", ["numpy"], async (run) => {
  const code = `
import json, sys, warnings, numpy
warnings.simplefilter("ignore")
def read(name):
    try:
        found = numpy.lib.format.descr_to_dtype(name)
    except Exception:
        return None
    return found.newbyteorder("<").str if found.kind in "biuf" and found.itemsize <= 8 else None
print(json.dumps({name: read(name) for name in json.loads(sys.argv[1])}))
`;
  const spelled = new Map(
    Object.entries(SPELLINGS).flatMap(([dtype, spellings]) =>
      spellings.split(" ").map((descr) => [descr, dtype])
    ),
  );
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?"];
  const tried = [
    ...spelled.keys(),
    ...NO_SPELLINGS.split(" "),
    ...["", "<", ">", "=", "|"].flatMap((order) =>
      [...letters, ...letters.flatMap((letter) => [1, 2, 4, 8, 16].map((size) => letter + size))]
        .map((code) => order + code)
    ),
  ];
  const found: Record<string, string | null> = JSON.parse(await run(code, JSON.stringify(tried)));
  for (const [descr, theirs] of Object.entries(found)) {
    const file = withHeader(claims("(0,)", descr), 0);
    let ours: string | null = null;
    try {
      const { dtype, itemBytes } = parseNpyHeader(file, file.length, "x");
      ours = `${itemBytes === 1 ? "|" : "<"}${dtype === "bool" ? "b" : dtype[0]}${itemBytes}`;
    } catch (error) {
      assert(error instanceof DataError, String(error));
    }
    // NumPy 2 has named two that NumPy 1 did not know.
    if (!/^[<>=|]?[nN]$/.test(descr)) assert.equal(ours, theirs, descr);
  }
});

Deno.test("types that are not real numbers are refused with what they are", () => {
  const hint = "not real numbers: save it as uint8 or float32";
  refuses(fixture("refused_object"), `it holds Python objects (type '|O'), ${hint}`);
  refuses(fixture("refused_complex"), `it holds complex numbers (type '<c8'), ${hint}`);
  refuses(fixture("refused_bytes"), `it holds text (type '|S4'), ${hint}`);
  refuses(fixture("refused_unicode"), `it holds text (type '<U4'), ${hint}`);
  refuses(fixture("refused_datetime"), `it holds dates (type '<M8[D]'), ${hint}`);
  refuses(fixture("refused_void"), `it holds raw records (type '|V3'), ${hint}`);
  refuses(
    fixture("refused_structured"),
    "it holds records or nested arrays (a structured type), not plain numbers: " +
      "save one field of it as uint8 or float32",
  );
  refuses(
    fixture("refused_longdouble"),
    "its type '<f16' is not known: save it as uint8 or float32",
  );
  refuses(
    withHeader(claims("(1,)", "<<\x07\x85u1"), 1),
    "its type '<<??u1' is not known: save it as uint8 or float32",
  );
});

Deno.test("a shape that no file can have takes no memory", () => {
  refuses(
    withHeader(claims("(99999999, 99999999, 256)"), 4),
    "its header claims the shape (99999999, 99999999, 256), more than any file can hold: " + SAVE,
  );
  refuses(
    withHeader(claims("(123456789012345678901234,)"), 4),
    "its header claims an axis of '123456789012345678901234', more than any file can hold: " + SAVE,
  );
  refuses(
    withHeader(claims("(1000000, 1000000)", "<f8"), 4),
    "its header claims 8 000 000 000 000 bytes of data but the file holds 4: " +
      "it is truncated, copy it again",
  );
  refuses(
    withHeader(claims(`(${"1, ".repeat(65)})`), 1),
    `its shape has 65 axes, allowed are 64: ${SAVE}`,
  );
  // Zero elements, whatever the other axes claim.
  assert.equal(
    decodeNpy(withHeader(claims("(9007199254740991, 0, 99999999)"), 0), "x").data.length,
    0,
  );
});

Deno.test("a header longer than any sensible one is refused before it is read", () => {
  const bytes = withHeader(claims("(1,)"), 1, 2);
  new DataView(bytes.buffer).setUint32(8, 0xffffffff, true);
  refuses(
    bytes,
    `its header claims to be 4 294 967 295 bytes long, allowed are 1 048 576: ${SAVE}`,
  );
});

for (
  const [header, found] of [
    ["", "has the end at character 1 where '{' belongs"],
    ["[1, 2]", "has '[1, 2]' at character 1 where '{' belongs"],
    ["{}", "lacks the key 'descr'"],
    ["{'descr': '|u1', 'shape': (1,)}", "lacks the key 'fortran_order'"],
    ["{'descr': '|u1', 'fortran_order': False}", "lacks the key 'shape'"],
    ["{descr: 1}", "has 'descr: 1}' at character 2 where a key in quotes belongs"],
    ["{'descr': 1}", "has '1}' at character 11 where a type in quotes belongs"],
    ["{'descr' '|u1'}", "has ''|u1'}' at character 10 where ':' belongs"],
    [
      "{'descr': '|u1' 'shape': (1,)}",
      "has ''shape': (1,' at character 17 where ',' or '}' belongs",
    ],
    ["{'descr': '|u1", "has the end at character 15 where the end of a type in quotes belongs"],
    ["{'toString': 1}", "has the key 'toString', which is not known"],
    ["{'descr': '|u1', 'descr': '|u1'}", "has the key 'descr' twice"],
    ["{'fortran_order': 0}", "has '0}' at character 19 where True or False belongs"],
    ["{'shape': 3}", "has '3}' at character 11 where '(' belongs"],
    ["{'shape': (3)}", "has ')}' at character 13 where ',' belongs"],
    ["{'shape': (3 4)}", "has '4)}' at character 14 where ',' belongs"],
    ["{'shape': (3, 4 5)}", "has '5)}' at character 17 where ',' or ')' belongs"],
    ["{'shape': (,)}", "has ',)}' at character 12 where a whole number from 0 belongs"],
    ["{'shape': (-3, 4)}", "has '-3, 4)}' at character 12 where a whole number from 0 belongs"],
    ["{'shape': (1.5, 4)}", "has '.5, 4)}' at character 13 where ',' belongs"],
    ["{'shape': (03, 4)}", "has '03, 4)}' at character 12 where a whole number from 0 belongs"],
    ["{'shape': (True, 4)}", "has 'True, 4)}' at character 12 where a whole number from 0 belongs"],
    [claims("(1,)") + "import os", "has 'import os' at character 59 where its end belongs"],
  ]
) {
  Deno.test(`the header ${JSON.stringify(header)} is refused`, () => {
    refuses(withHeader(header, 1), `its header ${found}: ${SAVE}`);
  });
}

Deno.test("a path that cannot be read is refused with the reason", async () => {
  const hint = "check that the file is there and can be read";
  await assert.rejects(readNpy("tests/no.npy"), {
    name: "DataError",
    message: `Cannot read 'tests/no.npy': there is no such file or folder: ${hint}`,
  });
  await assert.rejects(readNpyHeader("tests"), {
    name: "DataError",
    message: `Cannot read 'tests': it is a folder: ${hint}`,
  });
});

Deno.test({
  name: "a path that Deno may not read is refused with the flag to add",
  permissions: { read: false },
  fn: async () => {
    await assert.rejects(readNpy("data/train/axial/0000.npy"), (error) => {
      assert(error instanceof PermissionError);
      assert.match(error.message, /run again with --allow-read=data$/);
      return true;
    });
  },
});

Deno.test("an array is encoded byte for byte as NumPy saves it", () => {
  const same = (Object.keys(expected) as NpyDtype[])
    .filter((dtype) => dtype.toLowerCase() + "array" === inMemory[dtype].toLowerCase());
  assert.equal(same.length, 8);
  for (const name of [...same.map((dtype) => `${dtype}_le_c`), "axes0", "axes1", "empty"]) {
    const { data, shape } = decodeNpy(fixture(name), "x");
    assert.deepEqual(encodeNpy(data, shape), fixture(name));
  }
});

Deno.test("an array whose shape does not fit its values is not encoded", () => {
  assert.throws(() => encodeNpy(new Uint8Array(5), [2, 3]), {
    name: "RangeError",
    message: "The shape [2,3] holds 6 values but there are 5",
  });
  for (const shape of [[-1, -5], [2.5, 2], [NaN]]) {
    assert.throws(() => encodeNpy(new Uint8Array(5), shape), {
      name: "RangeError",
      message: `A shape holds whole numbers from 0: current value is [${shape}]`,
    });
  }
});

const anyArray: fc.Arbitrary<NpyData> = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
);

Deno.test("what is encoded is decoded to the same, part of a larger buffer or not", () => {
  fc.assert(fc.property(anyArray, fc.nat(3), fc.nat(), (data, skip, pick) => {
    const part = data.subarray(skip);
    const divisors = Array.from({ length: part.length }, (_, i) => i + 1)
      .filter((n) => part.length % n === 0);
    const first = divisors.length === 0 ? 0 : divisors[pick % divisors.length];
    const shape = [first, first === 0 ? 7 : part.length / first, 1];
    const file = encodeNpy(part, shape);
    assert.equal((file.length - part.byteLength) % 64, 0);
    assert.deepEqual(decodeNpy(file, "x"), { data: part.slice(), shape });
  }));
});

/** Decodes bytes that may be anything; the array must fit them, an error must be for the user. */
function survives(bytes: Uint8Array): void {
  try {
    const { data, shape } = decodeNpy(bytes, "x.npy");
    assert.equal(data.length, shape.reduce((product, length) => product * length, 1) || 0);
    assert(data.byteLength <= 2 * bytes.length);
  } catch (error) {
    assert(error instanceof DataError, String(error));
    assert.match(error.message, /^Cannot read 'x\.npy' as \.npy: [ -~±]+: [ -~]+$/);
    assert(error.message.length < 700);
  }
}

const valid = [...Deno.readDirSync(FIXTURES)].map((entry) => entry.name).sort()
  .map((name) => Deno.readFileSync(`${FIXTURES}/${name}`));

Deno.test("a valid file with bytes changed, cut out or put in is refused or read, never more", () => {
  const edit = fc.record({
    at: fc.nat(400),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(..."(){}[],:'L0123<>|FTru \n")
        .map((character) => Uint8Array.of(character.charCodeAt(0))),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.array(edit, { maxLength: 4 }), (file, edits) => {
      let bytes = [...file];
      for (const { at, remove, insert } of edits) {
        const position = at % (bytes.length + 1);
        bytes = [...bytes.slice(0, position), ...insert, ...bytes.slice(position + remove)];
      }
      survives(Uint8Array.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a header of random pieces is refused or read, never more", () => {
  const piece = fc.constantFrom(
    ..."{}()[],:'\"L-0 ",
    "'descr'",
    "'shape'",
    "'fortran_order'",
    "True",
    "False",
    "'|u1'",
    "'<f4'",
    "99999999999",
    "3",
    "(2, 3)",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.nat(30), (pieces, dataBytes) => {
      survives(withHeader(pieces.join(""), dataBytes));
    }),
    { numRuns: 2000 },
  );
});
