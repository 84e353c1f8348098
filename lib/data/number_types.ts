/**
 * The types of NumPy's numbers, by the codes and names that files have for them.
 */
import type { DataError } from "../errors.ts";

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

/** Bytes a number takes, by type. */
const ITEM_BYTES: Readonly<Record<NpyDtype, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/**
 * The types by their codes, before which the order of the bytes may stand: kind and size, as
 * `numpy.save` writes them, or the letter of a C type. Those of C's `long` and of pointers have eight
 * bytes, as everywhere but in old versions on Windows; the file's size tells if they had four.
 */
const CODES: ReadonlyMap<string, NpyDtype> = _byName({
  bool: "b1 ?",
  int8: "i1 b",
  int16: "i2 h",
  int32: "i4 i",
  int64: "i8 l q p n",
  uint8: "u1 B",
  uint16: "u2 H",
  uint32: "u4 I",
  uint64: "u8 L Q P N",
  float16: "f2 e",
  float32: "f4 f",
  float64: "f8 d",
});

/** The types by NumPy's names for them, which are in the machine's own order, little-endian. */
const NAMES: ReadonlyMap<string, NpyDtype> = _byName({
  bool: "bool bool_ bool8",
  int8: "int8 byte",
  int16: "int16 short",
  int32: "int32 intc",
  int64: "int64 int int_ int0 intp long longlong",
  uint8: "uint8 ubyte",
  uint16: "uint16 ushort",
  uint32: "uint32 uintc",
  uint64: "uint64 uint uint0 uintp ulong ulonglong",
  float16: "float16 half",
  float32: "float32 single",
  float64: "float64 float float_ double",
});

function _byName(spellings: Record<NpyDtype, string>): Map<string, NpyDtype> {
  return new Map(
    Object.entries(spellings).flatMap(([dtype, names]) =>
      names.split(" ").map((name) => [name, dtype as NpyDtype])
    ),
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
  if (known !== undefined) return [known, ITEM_BYTES[known]];
  const other = OTHER_KINDS.get(code.charAt(0));
  const found = other === undefined
    ? `its type ${shownText(descr)} is not known`
    : `it holds ${other} (type ${shownText(descr)}), not real numbers`;
  throw refuse(found, "save it as uint8 or float32");
}

/** Text from a file, safe to print: short and on one line. */
export function shownText(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return `'${short.replace(/[^ -~]/g, "?")}'`;
}
