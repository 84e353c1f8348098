/**
 * NIfTI files for tests, written by hand.
 */
import type { GreySlice } from "../../lib/imaging/grey_values.ts";
import { NO_LIMITS } from "../../lib/imaging/limits.ts";
import { type NiftiHeader, readNiftiHeader, readNiftiSlices } from "../../lib/imaging/nifti.ts";

/** What is in a file. */
export interface NiftiSpec {
  /** Voxels along each axis, the first varies fastest. */
  size: readonly number[];
  values: ArrayLike<number>;
  /** The format's number of how values are stored: 2 uint8, 4 int16, 16 float32, 64 float64. */
  type?: 2 | 4 | 16 | 64;
  /** Three rows of four: from voxels to millimetres, to the right, to the front, to the head. */
  affine?: readonly (readonly number[])[];
  /**
   * What the affine is to: 1 the scanner, 2 another file, 3 and 4 atlases.
   * @default 1 with an affine, 0 without
   */
  code?: number;
  /**
   * How far it is from voxel to voxel along each axis, where there is no affine.
   * @default half a millimetre in a slice, 3 from slice to slice
   */
  distances?: readonly number[];
  /** The unit of lengths: 1 metres, 2 millimetres, 3 micrometres; by default nothing is said. */
  units?: number;
  slope?: number;
  intercept?: number;
  bigEndian?: boolean;
  version?: 1 | 2;
}

/** Reads a file's header and its first volume. */
export async function readNifti(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<NiftiHeader & { stored: GreySlice[] }> {
  const header = await readNiftiHeader(bytes, name);
  return { ...header, stored: readNiftiSlices(bytes, name, header, NO_LIMITS) };
}

/** A file, not gzipped. */
export function niftiFile(
  {
    size,
    values,
    type = 4,
    affine,
    slope = 0,
    intercept = 0,
    bigEndian = false,
    version = 1,
    ...of
  }: NiftiSpec,
): Uint8Array<ArrayBuffer> {
  const { code = affine === undefined ? 0 : 1, distances = [0.5, 0.5, 3], units = 0 } = of;
  const pixdims = [1, ...distances, 0, 0, 0, 0];
  const width = { 2: 1, 4: 2, 16: 4, 64: 8 }[type];
  const begin = version === 1 ? 352 : 544;
  const bytes = new Uint8Array(begin + values.length * width);
  const view = new DataView(bytes.buffer);
  const little = !bigEndian;
  const dims = [size.length, ...size, ...Array(7 - size.length).fill(1)];
  const text = (at: number, value: string) => bytes.set(new TextEncoder().encode(value), at);
  if (version === 1) {
    view.setInt32(0, 348, little);
    dims.forEach((dim, i) => view.setInt16(40 + 2 * i, dim, little));
    view.setInt16(70, type, little);
    view.setInt16(72, 8 * width, little);
    pixdims.forEach((each, i) => view.setFloat32(76 + 4 * i, each, little));
    view.setFloat32(108, begin, little);
    view.setFloat32(112, slope, little);
    view.setFloat32(116, intercept, little);
    view.setUint8(123, units);
    view.setInt16(254, code, little);
    affine?.flat().forEach((each, i) => view.setFloat32(280 + 4 * i, each, little));
    text(344, "n+1");
  } else {
    view.setInt32(0, 540, little);
    text(4, "n+2");
    bytes.set([13, 10, 26, 10], 8);
    view.setInt16(12, type, little);
    view.setInt16(14, 8 * width, little);
    dims.forEach((dim, i) => view.setBigInt64(16 + 8 * i, BigInt(dim), little));
    pixdims.forEach((each, i) => view.setFloat64(104 + 8 * i, each, little));
    view.setBigInt64(168, BigInt(begin), little);
    view.setFloat64(176, slope, little);
    view.setFloat64(184, intercept, little);
    view.setInt32(348, code, little);
    view.setInt32(500, units, little);
    affine?.flat().forEach((each, i) => view.setFloat64(400 + 8 * i, each, little));
  }
  for (let i = 0; i < values.length; i++) {
    const at = begin + i * width;
    if (type === 2) view.setUint8(at, values[i]);
    else if (type === 4) view.setInt16(at, values[i], little);
    else if (type === 16) view.setFloat32(at, values[i], little);
    else view.setFloat64(at, values[i], little);
  }
  return bytes;
}
