/**
 * RLE, DICOM's own compression (PS3.5, annex G): each byte of the values is a segment by itself, the
 * most significant first, packed as runs.
 */

/** A frame's header: the number of segments and where each begins, 16 numbers of 4 bytes. */
const HEADER = 64;

/**
 * Unpacks a frame of one value a pixel.
 *
 * @param frame the header and the segments
 * @param pixels how many values there are
 * @param bytesPerValue 1 or 2
 * @returns the values, least significant byte first
 * @throws {Error} if the segments do not hold so many values; the message says what was found
 */
export function unpackRle(
  frame: Uint8Array,
  pixels: number,
  bytesPerValue: number,
): Uint8Array<ArrayBuffer> {
  if (frame.length < HEADER) throw new Error("the RLE header is cut off");
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const segments = view.getUint32(0, true);
  if (segments !== bytesPerValue) {
    throw new Error(`there are ${segments} RLE segments for values of ${bytesPerValue} bytes`);
  }
  const values = new Uint8Array(pixels * bytesPerValue);
  for (let segment = 0; segment < segments; segment++) {
    const begin = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : frame.length;
    if (begin < HEADER || end < begin || end > frame.length) {
      throw new Error("an RLE segment lies outside the frame");
    }
    const first = bytesPerValue - 1 - segment;
    _unpackSegment(frame.subarray(begin, end), values, first, bytesPerValue);
  }
  return values;
}

/** Writes a segment's bytes to every `step`th byte of the values, from `first` on. */
function _unpackSegment(segment: Uint8Array, values: Uint8Array, first: number, step: number) {
  let read = 0;
  let write = first;
  while (write < values.length) {
    const code = segment[read++];
    if (code === undefined) throw new Error("an RLE segment ends before its pixels do");
    // 128 is there to be passed over.
    if (code < 128) {
      if (read + code >= segment.length) throw new Error("an RLE run is cut off");
      for (let left = code; left >= 0 && write < values.length; left--, write += step) {
        values[write] = segment[read++];
      }
    } else if (code > 128) {
      const value = segment[read++];
      if (value === undefined) throw new Error("an RLE run is cut off");
      for (let left = 256 - code; left >= 0 && write < values.length; left--, write += step) {
        values[write] = value;
      }
    }
  }
}
