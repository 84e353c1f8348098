/** The types of NumPy's numbers, by the codes and names that files have for them. */
import type { DataError } from "../errors.ts";
import { asciiOf } from "../quoted.ts";

/** The type of the numbers in a file. */
export type NpyDtype =
  | "bool"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

/** Makes the error of an array that cannot be read, from what was found and what to do. */
export type Refuse = (found: string, hint: string) => DataError;

/** What makes numbers of bytes. */
export interface NumberLayout {
  /** The type by name. */
  dtype: NpyDtype;
  /** Bytes a number takes in the file: 1, 2, 4 or 8. */
  itemBytes: number;
  /** False if the bytes of each number are stored in reverse; true for types of one byte. */
  littleEndian: boolean;
  /** True if the first axis varies fastest in the file. */
  fortranOrder: boolean;
  /** The length of each axis; empty for a single number. */
  shape: number[];
}

/**
 * The types by all that NumPy calls them. Codes, before which the order of the bytes may stand: kind and
 * size, as `numpy.save` writes them, or the letter of a C type. Those of C's `long` and of pointers have
 * eight bytes, as everywhere but in old versions on Windows; the file's size tells if they had four. Names
 * are in the machine's own order, little-endian.
 */
const TYPES: Readonly<Record<NpyDtype, { bytes: number; codes: string; names: string }>> = {
  bool: { bytes: 1, codes: "b1 ?", names: "bool bool_ bool8" },
  int8: { bytes: 1, codes: "i1 b", names: "int8 byte" },
  int16: { bytes: 2, codes: "i2 h", names: "int16 short" },
  int32: { bytes: 4, codes: "i4 i", names: "int32 intc" },
  int64: { bytes: 8, codes: "i8 l q p n", names: "int64 int int_ int0 intp long longlong" },
  uint8: { bytes: 1, codes: "u1 B", names: "uint8 ubyte" },
  uint16: { bytes: 2, codes: "u2 H", names: "uint16 ushort" },
  uint32: { bytes: 4, codes: "u4 I", names: "uint32 uintc" },
  uint64: { bytes: 8, codes: "u8 L Q P N", names: "uint64 uint uint0 uintp ulong ulonglong" },
  float16: { bytes: 2, codes: "f2 e", names: "float16 half" },
  float32: { bytes: 4, codes: "f4 f", names: "float32 single" },
  float64: { bytes: 8, codes: "f8 d", names: "float64 float float_ double" },
};

const CODES = _spelled("codes");
const NAMES = _spelled("names");

function _spelled(how: "codes" | "names"): ReadonlyMap<string, NpyDtype> {
  const types = Object.entries(TYPES) as [NpyDtype, (typeof TYPES)[NpyDtype]][];
  return new Map(
    types.flatMap(([dtype, { [how]: all }]) => all.split(" ").map((each) => [each, dtype])),
  );
}

/** Kinds of values that are not plain numbers: what each is, by the letter of its type. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ["O", "Python objects"],
  ["c", "complex numbers"],
  ["S", "text"],
  ["a", "text"],
  ["U", "text"],
  ["T", "text"],
  ["V", "raw records"],
  ["M", "dates"],
  ["m", "durations"],
]);

/**
 * What NumPy's code of a type means.
 *
 * @throws what `refuse` makes, if values of that type are no real numbers
 */
export function numberLayout(
  { descr, fortranOrder, shape }: { descr: string } & Pick<NumberLayout, "fortranOrder" | "shape">,
  refuse: Refuse,
): NumberLayout {
  const [dtype, itemBytes] = _dtype(descr, refuse);
  const littleEndian = itemBytes === 1 || descr[0] !== ">";
  return { dtype, itemBytes, littleEndian, fortranOrder, shape };
}

function _dtype(descr: string, refuse: Refuse): [NpyDtype, number] {
  const code = "<>|=".includes(descr.charAt(0)) ? descr.slice(1) : descr;
  const known = CODES.get(code) ?? NAMES.get(descr);
  if (known !== undefined) return [known, TYPES[known].bytes];
  const other = OTHER_KINDS.get(code.charAt(0));
  const found = other === undefined
    ? `its type '${asciiOf(descr)}' is not known`
    : `it holds ${other} (type '${asciiOf(descr)}'), not real numbers`;
  throw refuse(found, "save it as uint8 or float32");
}
