/**
 * An exam's voxels on their way to a browser: slice by slice, compressed, those in the middle first,
 * so that something is to be seen after the first of them.
 *
 * The stream is a line of JSON, `{"slices":…,"height":…,"width":…,"type":"uint8"}`, and then for each
 * slice its number and the length of its data, both uint32, and its data: the voxels as they are in
 * memory, compressed as raw deflate. All numbers are little-endian.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import type { Exam } from "../../data/exam.ts";
import { eventLoop } from "../loop.ts";

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

/** The stream of an exam. */
export function sliceStream(exam: Exam): ReadableStream<Uint8Array> {
  const { slices, height, width, voxels } = exam;
  const type = voxels instanceof Uint8Array ? "uint8" : "float32";
  const order = fromTheMiddle(slices);
  const pixels = height * width;
  let frames: Uint8Array[] = [
    new TextEncoder().encode(`${JSON.stringify({ slices, height, width, type })}\n`),
  ];
  const stream: UnderlyingDefaultSource<Uint8Array> = {
    pull(controller) {
      eventLoop.step();
      const end = performance.now() + AT_ONCE;
      do {
        const slice = order.shift()!;
        const part = voxels.subarray(slice * pixels, (slice + 1) * pixels);
        const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
        const data = deflateRawSync(bytes, { level: LEVEL });
        frames.push(_head(slice, data.length), data);
      } while (order.length > 0 && performance.now() < end);
      // In one piece, for every piece waits until the event loop is free.
      controller.enqueue(Buffer.concat(frames));
      frames = [];
      if (order.length === 0) controller.close();
    },
  };
  // What is compressed is sent before more is.
  return new ReadableStream(stream, { highWaterMark: 0 });
}

/** A slice's number and the length of its data. */
function _head(slice: number, length: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(slice, length).buffer);
}
