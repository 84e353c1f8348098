/**
 * The floating-point types in which weights are stored, and their conversion to float32. Bytes are
 * little-endian in every file this toolkit reads.
 */

/** A stored type that becomes float32: half, brain float, single, double. */
export type FloatType = "F16" | "BF16" | "F32" | "F64";

/** Bytes a value takes, by type. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F16: 2, BF16: 2, F32: 4, F64: 8 };

/** True for the types that {@linkcode toFloat32} takes. */
export function isFloatType(type: string): type is FloatType {
  return Object.hasOwn(FLOAT_BYTES, type);
}

/**
 * The values of stored bytes as float32. A double beyond float32's range becomes infinite.
 *
 * @param bytes whole values. The caller must not use them afterwards: float32 values at a multiple of
 * four are not copied
 * @param type how they are stored
 */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, type: FloatType): Float32Array {
  const size = FLOAT_BYTES[type];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const [buffer, start, count] = [aligned.buffer, aligned.byteOffset, aligned.byteLength / size];
  switch (type) {
    case "F32":
      return new Float32Array(buffer, start, count);
    case "F16":
      return new Float32Array(new Float16Array(buffer, start, count));
    case "F64":
      return new Float32Array(new Float64Array(buffer, start, count));
    case "BF16": {
      // A brain float is the upper half of a float32.
      const upper = new Uint16Array(buffer, start, count);
      const words = new Uint32Array(count);
      for (let at = 0; at < count; at++) words[at] = upper[at] << 16;
      return new Float32Array(words.buffer);
    }
  }
}
