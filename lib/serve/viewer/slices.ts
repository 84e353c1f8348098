/**
 * An exam's voxels on their way to a browser: slice by slice, compressed, those in the middle first,
 * so that something is to be seen after the first of them.
 *
 * The stream is a line of JSON, `{"slices":…,"height":…,"width":…,"type":"uint8"}`, with `geometry` if it
 * is known where the exam's pixels lie (`ExamGeometry`), and then for each
 * slice its number and the length of its data, both uint32, and its data: the voxels as they are in
 * memory, compressed as raw deflate. All numbers are little-endian.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import type { Exam } from "../../data/exam.ts";
import type { ExamGeometry } from "../../imaging/exam_geometry.ts";
import { CHUNK_BYTES } from "../outgoing.ts";

/** Fast: the level above saves a fifth of the bytes and takes three times as long. */
const LEVEL = 1;

/** How long slices are compressed before others have their turn, in milliseconds: most exams in one go. */
const AT_ONCE = 50;

/** The slices from the middle outwards. */
export function fromTheMiddle(slices: number): number[] {
  const middle = (slices - 1) >> 1;
  const distance = (slice: number) => Math.abs(slice - middle - 0.1);
  return Array.from({ length: slices }, (_, slice) => slice)
    .sort((a, b) => distance(a) - distance(b));
}

/** The stream of an exam, as a function that gives its next chunk, and nothing at its end. */
export function sliceChunks(exam: Exam, geometry?: ExamGeometry): () => Uint8Array | undefined {
  const { slices, height, width, voxels } = exam;
  const type = voxels instanceof Uint8Array ? "uint8" : "float32";
  const order = fromTheMiddle(slices);
  const pixels = height * width;
  let frames: Uint8Array[] = [
    new TextEncoder().encode(`${JSON.stringify({ slices, height, width, type, geometry })}\n`),
  ];
  return () => {
    const end = performance.now() + AT_ONCE;
    let length = 0;
    while (order.length > 0 && length < CHUNK_BYTES && performance.now() < end) {
      const slice = order.shift()!;
      const values = voxels.subarray(slice * pixels, (slice + 1) * pixels);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const data = deflateRawSync(bytes, { level: LEVEL });
      length += data.length;
      frames.push(_head(slice, data.length), data);
    }
    if (frames.length === 0) return undefined;
    // In one piece, for every piece waits until the event loop is free.
    const chunk = Buffer.concat(frames);
    frames = [];
    return chunk;
  };
}

/** A slice's number and the length of its data. */
function _head(slice: number, length: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(slice, length).buffer);
}
