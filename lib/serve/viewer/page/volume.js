/** An exam's voxels in one plane, slice by slice as they arrive. */
import { ask, chunks } from "./api.js";

const TYPES = { uint8: Uint8Array, float32: Float32Array };

/** How many steps of grey a quantile is found by. */
const STEPS = 4096;

/** How many volumes are kept: the exam on show and those around it, three planes each. */
const MAX_KEPT = 15;

const kept = new Map();

/** Voxels of one series. */
export class Volume {
  /** Resolves when all slices are there. */
  whole;
  slices = 0;
  height = 0;
  width = 0;
  /** Where its pixels lie in the patient, as far as the service knows it. */
  geometry;
  /** The least and the largest value of the slices that are there. */
  least = Infinity;
  largest = -Infinity;
  #voxels = [];
  /** How many voxels have each step of grey, from the least to the largest value. */
  #histogram;
  #listeners = new Set();
  #abort = new AbortController();

  constructor(path) {
    this.whole = this.#load(path);
    this.whole.catch(() => {});
  }

  /** The voxels of a slice, once they are there. */
  slice(index) {
    return this.#voxels[index];
  }

  /** The value that a share of the voxels, those that are there, lie below; to a 4096th of their range. */
  quantile(share) {
    const range = this.largest - this.least;
    if (!(range > 0)) return this.least;
    this.#histogram ??= this.#count(range);
    const wanted = share * this.#histogram.reduce((sum, count) => sum + count, 0);
    let below = 0;
    const step = this.#histogram.findIndex((count) => (below += count) >= wanted);
    return this.least + range * step / (STEPS - 1);
  }

  #count(range) {
    const counts = new Uint32Array(STEPS);
    for (const voxels of this.#voxels) {
      for (const value of voxels ?? []) {
        counts[Math.round((value - this.least) / range * (STEPS - 1))]++;
      }
    }
    return counts;
  }

  /** Calls whenever a slice has come. */
  onSlice(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops loading. */
  cancel() {
    this.#abort.abort();
  }

  async #load(path) {
    const response = await ask(path, { signal: this.#abort.signal });
    let bytes = new Uint8Array();
    let head;
    const unpacking = [];
    for await (const chunk of chunks(response.body)) {
      bytes = joined(bytes, chunk);
      if (head === undefined) {
        const end = bytes.indexOf(10);
        if (end === -1) continue;
        head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
        const { slices, height, width, geometry } = head;
        Object.assign(this, { slices, height, width, geometry });
        bytes = bytes.subarray(end + 1);
      }
      while (bytes.length >= 8) {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const [index, length] = [view.getUint32(0, true), view.getUint32(4, true)];
        if (bytes.length < 8 + length) break;
        unpacking.push(this.#unpack(index, bytes.slice(8, 8 + length), TYPES[head.type]));
        bytes = bytes.subarray(8 + length);
      }
    }
    await Promise.all(unpacking);
    if (this.#voxels.filter(Boolean).length < this.slices) throw new Error("The series broke off");
  }

  async #unpack(index, bytes, Type) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const voxels = new Type(await new Response(stream).arrayBuffer());
    for (const value of voxels) {
      if (value < this.least) this.least = value;
      if (value > this.largest) this.largest = value;
    }
    this.#voxels[index] = voxels;
    this.#histogram = undefined;
    for (const listener of this.#listeners) listener(index);
  }
}

/** The volume of a plane: from memory, or on its way. */
export function volumeOf({ split, id }, plane) {
  const path = `viewer/slices/${split}/${id}/${plane}`;
  const volume = kept.get(path) ?? new Volume(path);
  kept.delete(path);
  kept.set(path, volume);
  volume.whole.catch(() => {
    if (kept.get(path) === volume) kept.delete(path);
  });
  for (const [oldest, each] of kept) {
    if (kept.size <= MAX_KEPT) break;
    each.cancel();
    kept.delete(oldest);
  }
  return volume;
}

function joined(a, b) {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Resolves when all planes of an exam are there, or cannot be. */
export async function wholeOf(exam) {
  await Promise.allSettled(exam.planes.map((plane) => volumeOf(exam, plane).whole));
}
