/** Several byte arrays as one. */

/**
 * The bytes of all arrays, one after another, in an array of their own.
 */
export function concat(arrays: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}

/**
 * What Node's functions give, as plain bytes of their own: a `Buffer` slices differently, and may share
 * its memory with others. Copied only then.
 */
export function plainBytes(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  const isWhole = buffer.byteLength === buffer.buffer.byteLength;
  return isWhole ? new Uint8Array(buffer.buffer as ArrayBuffer) : new Uint8Array(buffer);
}

/**
 * How zlib inflates what may become large: the memory of many small pieces is not given back to the
 * system, and then joined to as much again.
 */
export const LARGE_PIECES = { chunkSize: 4 * 1024 * 1024 } as const;
