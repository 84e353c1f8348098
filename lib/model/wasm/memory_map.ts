/**
 * What lies where in the kernels' memory. Addresses are bytes.
 *
 * A step allocates nothing. Memory is laid out once for a size of slice, with room for the most slices
 * that an exam had so far. For MRNet's 256×256 that is 1.8 MB a slice, 30 MB for the parameters and Adam's
 * moments, 70 MB for weights in the products' order and 20 MB a thread.
 */
import { CONVOLUTIONS, PARAMETER_FLOATS } from "./parameters.ts";

/** Height and width. */
export interface Size {
  /** In pixels. */
  height: number;
  /** In pixels. */
  width: number;
}

/** A channels-last image with a border of zeros around it. */
export interface Bordered extends Size {
  /** Floats in a pixel. */
  channels: number;
  /** Width of the border in pixels. */
  border: number;
  /** Bytes in a pixel. */
  step: number;
  /** Bytes in a row, the border included. */
  pitch: number;
  /** From the first byte to the first pixel within the border. */
  inside: number;
  /** Bytes in all. */
  bytes: number;
}

/** The sizes that follow from a slice's. */
export interface Shapes {
  /** The network's input. */
  image: Bordered;
  /** Output of the first convolution. */
  conv1: Size;
  /** The first pool's output, the second convolution's input. */
  pool1: Bordered;
  /** The second pool's. */
  pool2: Bordered;
  /** Output of the third convolution. */
  conv3: Bordered;
  /** Output of the fourth. */
  conv4: Bordered;
  /** The third pool's. */
  pool5: Size;
}

function bordered({ height, width }: Size, channels: number, border: number): Bordered {
  const step = channels * 4;
  const pitch = (width + 2 * border) * step;
  const inside = border * (pitch + step);
  return {
    height,
    width,
    channels,
    border,
    step,
    pitch,
    inside,
    bytes: (height + 2 * border) * pitch,
  };
}

/** Maximum over 3×3 with stride 2. */
function pooled({ height, width }: Size): Size {
  const side = (length: number) => Math.floor((length - 3) / 2) + 1;
  return { height: side(height), width: side(width) };
}

/** The sizes of every layer for slices of this size. */
export function shapesOf(slice: Size): Shapes {
  const side = (length: number) => Math.floor((length + 4 - 11) / 4) + 1;
  const conv1 = { height: side(slice.height), width: side(slice.width) };
  const pool1 = pooled(conv1);
  const pool2 = pooled(pool1);
  return {
    image: bordered(slice, 1, 2),
    conv1,
    pool1: bordered(pool1, 64, 2),
    pool2: bordered(pool2, 192, 1),
    conv3: bordered(pool2, 384, 1),
    conv4: bordered(pool2, 256, 1),
    pool5: pooled(pool2),
  };
}

/** Pixels of an image. */
export function pixels({ height, width }: Size): number {
  return height * width;
}

/** Hands out addresses, each the start of a cache line. */
export class Arena {
  #next: number;

  /** @param start the first byte that is free */
  constructor(start: number) {
    this.#next = start;
  }

  /** The first byte that is free. */
  get end(): number {
    return this.#next;
  }

  /** Takes bytes, and a few beyond them that a vector load may touch. */
  take(bytes: number): number {
    const at = Math.ceil(this.#next / 64) * 64;
    this.#next = at + bytes + 64;
    return at;
  }

  /** Takes as many bytes for each of several. */
  takeEach(count: number, bytes: number): number[] {
    return Array.from({ length: count }, () => this.take(bytes));
  }
}

/** The convolutions that Winograd's algorithm computes; `back` are input gradients. */
export type WinogradLayer = "conv2" | "conv3" | "conv4" | "conv5" | "back4" | "back3";

/** Channels in and out of each. */
export const WINOGRAD_LAYERS: Readonly<Record<WinogradLayer, { inputs: number; outputs: number }>> =
  {
    conv2: { inputs: 64, outputs: 192 },
    conv3: { inputs: 192, outputs: 384 },
    conv4: { inputs: 384, outputs: 256 },
    conv5: { inputs: 256, outputs: 256 },
    back4: { inputs: 256, outputs: 384 },
    back3: { inputs: 384, outputs: 192 },
  };

/** Products of a tile. */
export const PRODUCTS = 36;

/**
 * How many tiles of Winograd's algorithm are multiplied at once: eight register tiles of `convolve`. They
 * share one read of a product's filters, up to 393 kB. A slice of 256×256 has 16, so three go together.
 */
export const TILES_AT_ONCE = 48;

/** What does not depend on the exam. */
export interface FixedMap {
  /** β₁ … of Adam; eight floats. */
  adam: number;
  /** Where a slice's pixels come from and what is done to them; six floats, a word, two floats. */
  matrix: number;
  /** Label and the outputs' weights, three doubles. */
  stepInput: number;
  /** Loss and logits, three doubles a thread. */
  answers: number[];
  /** The parameters and Adam's two moments. */
  parameters: number;
  first: number;
  second: number;
  /** Forward weights in panels, by convolution: the parameters themselves if they are kept in panels. */
  forward: number[];
  /** Weights of the input gradients of the third and the fourth convolution. */
  rotated: { conv3: number; conv4: number };
  /** The filters of each Winograd convolution, transformed. */
  transformed: Record<WinogradLayer, number>;
  /** A gradient of all parameters a thread, `gradientBytes` apart. */
  gradients: number[];
  /** From a thread's gradient to the next one's. */
  gradientBytes: number;
  /** The slice of each channel's maximum, and the gradient of that maximum, one of each a thread. */
  argmax: number[];
  headGradients: number[];
}

/** The address of what is not there: a network that is not trained has no gradients. */
const NOWHERE = 0;

/**
 * Lays out what every exam shares.
 *
 * @param training whether there is memory for gradients and moments
 */
export function mapFixed(arena: Arena, threads: number, training: boolean): FixedMap {
  const floats = PARAMETER_FLOATS * 4;
  const trained = (bytes: number) => training ? arena.take(bytes) : NOWHERE;
  const adam = arena.take(32);
  const matrix = arena.take(36);
  const stepInput = arena.take(24);
  const answers = arena.takeEach(threads, 24);
  const parameters = arena.take(floats);
  const [first, second] = [trained(floats), trained(floats)];
  const forward = CONVOLUTIONS.map(({ order, outputs, inputs, side, weight }) => {
    if (order === "panels") return parameters + weight * 4;
    const length = order === "first" ? side * 12 : side * side * inputs;
    return arena.take(outputs * length * 4);
  });
  const [, , conv3, conv4] = CONVOLUTIONS;
  const gradients = Array.from({ length: threads }, () => trained(floats));
  return {
    adam,
    matrix,
    stepInput,
    answers,
    parameters,
    first,
    second,
    forward,
    transformed: mapTransformed(arena, training),
    rotated: { conv3: trained(conv3.size * 4), conv4: trained(conv4.size * 4) },
    gradients,
    gradientBytes: threads > 1 ? gradients[1] - gradients[0] : 0,
    argmax: arena.takeEach(threads, 1024),
    headGradients: arena.takeEach(threads, 1024),
  };
}

function mapTransformed(arena: Arena, training: boolean): Record<WinogradLayer, number> {
  const addresses = Object.entries(WINOGRAD_LAYERS).map(([name, { inputs, outputs }]) => {
    const needed = training || !name.startsWith("back");
    return [name, needed ? arena.take(4 * PRODUCTS * inputs * outputs) : NOWHERE] as const;
  });
  return Object.fromEntries(addresses) as Record<WinogradLayer, number>;
}

/** What a thread computes in. */
export interface Scratch {
  /** The output of a convolution that a pool follows. */
  conv: number;
  /** Tiles before and after the products, and a few vectors for the transforms. */
  tilesIn: number;
  tilesOut: number;
  temp: number;
  /** Gradient of the last pool's output. */
  dPool5: number;
  /** The lists of `listMaxima` and `sortByPixel`. */
  lists: number;
  counts: number;
  starts: number;
  entries: number;
  /** Gradients of the fourth convolution's output, before and after its ReLU. */
  dConv4: number;
  dMasked4: number;
  /** Gradient of the third convolution's output. */
  dConv3: number;
  /** Gradients of the pools' outputs. */
  dPool2: number;
  dPool1: number;
  /** The operands of the filter gradients of the third and the fourth convolution. */
  tiles: number;
  panels: number;
  /** Which thread goes back through each slice; -1 where no channel selected it. */
  owners: number;
}

/** What is kept of a slice between forward and backward. */
export interface SliceMap {
  image: number;
  pool1: number;
  argmax1: number;
  pool2: number;
  argmax2: number;
  conv3: number;
  conv4: number;
  /** `[height][width][256]`: the features. */
  pool5: number;
  argmax5: number;
}

/** What depends on the exam's size. */
export interface ExamMap {
  /** One {@linkcode Scratch} a thread. */
  scratch: Scratch[];
  /** One {@linkcode SliceMap} a slice. */
  slices: SliceMap[];
  /** The voxels as they are in the file. */
  voxels: number;
  /** `[slices][256]`, the channels' means. */
  means: number;
}

/** For which exams room is laid out. */
export interface ExamRoom {
  threads: number;
  /** The most slices. */
  capacity: number;
  voxelBytes: number;
  /** Whether there is memory for gradients. */
  training: boolean;
}

/** Lays out what exams of one size need, for up to `capacity` slices. */
export function mapExam(
  arena: Arena,
  { image, conv1, pool1, pool2, conv3, conv4, pool5 }: Shapes,
  { threads, capacity, voxelBytes, training }: ExamRoom,
): ExamMap {
  const trained = (bytes: number) => training ? arena.take(bytes) : NOWHERE;
  const [lists1, lists2, lists5] = [64 * pixels(pool1), 192 * pixels(pool2), 256 * pixels(pool5)];
  const scratch = Array.from({ length: threads }, (): Scratch => ({
    conv: arena.take(
      // The fifth convolution's is that of several slices; see forward.ts.
      4 *
        Math.max(
          64 * pixels(conv1),
          192 * pixels(pool1),
          256 * 16 * TILES_AT_ONCE,
          256 * pixels(pool2),
        ),
    ),
    tilesIn: arena.take(4 * PRODUCTS * TILES_AT_ONCE * 384),
    tilesOut: arena.take(4 * PRODUCTS * TILES_AT_ONCE * 384),
    temp: arena.take(36 * 16),
    dPool5: trained(4 * lists5),
    lists: trained(12 * Math.max(lists1, lists2, lists5)),
    counts: trained(4 * 256),
    starts: trained(4 * (Math.max(pixels(pool1), pixels(pool2)) + 2)),
    entries: trained(8 * Math.max(lists2, lists5)),
    dConv4: trained(conv4.bytes),
    dMasked4: trained(conv4.bytes),
    dConv3: trained(conv3.bytes),
    dPool2: trained(4 * lists2),
    dPool1: trained(pool1.bytes),
    tiles: trained(conv3.bytes),
    panels: trained(conv3.bytes),
    owners: arena.take(4 * capacity),
  }));
  const slices = Array.from({ length: capacity }, (): SliceMap => ({
    // The first convolution's filters are read one row and one column further than they reach.
    image: arena.take(image.bytes + image.pitch),
    pool1: arena.take(pool1.bytes),
    argmax1: arena.take(lists1),
    pool2: arena.take(pool2.bytes),
    argmax2: arena.take(lists2),
    conv3: arena.take(conv3.bytes),
    conv4: arena.take(conv4.bytes),
    pool5: arena.take(4 * lists5),
    argmax5: arena.take(lists5),
  }));
  const voxels = arena.take(capacity * pixels(image) * voxelBytes);
  return { scratch, slices, voxels, means: arena.take(capacity * 1024) };
}
