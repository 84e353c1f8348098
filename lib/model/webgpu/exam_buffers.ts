/**
 * The GPU's memory for one exam. It is made for a size and a number of slices and used again for every
 * exam that fits.
 *
 * An exam that is longer than the adapter can bind in one piece is computed in chunks of as many slices
 * as it can. The activations are then held for one chunk at a time.
 */
import { EngineError } from "../../errors.ts";
import { imageSize } from "../../engine/webgpu/grid.ts";
import type { Gpu } from "../../engine/webgpu/gpu.ts";
import { POINTS, tilesOf } from "../../engine/webgpu/kernels/winograd.ts";
import type { VoxelType } from "../../engine/webgpu/kernels/prepare_input.ts";
import { imageBytes } from "../../engine/webgpu/precision.ts";
import { HEADER_BYTES } from "../../engine/webgpu/step.ts";
import type { LayerShape } from "./shape.ts";
import { IMAGE } from "../../network/network.ts";

/** What the buffers are made for. */
export interface ExamLimits {
  height: number;
  width: number;
  /** The most slices. */
  slices: number;
  type: VoxelType;
  /**
   * The most slices that are computed at once.
   * @default as many as fit
   */
  slicesAtOnce?: number;
}

/** Buffers by what they hold; each is made when it is first asked for. */
export class ExamBuffers {
  readonly limits: ExamLimits;
  /** The most slices of a chunk. */
  readonly chunkSlices: number;
  /** The most chunks. */
  readonly chunks: number;
  readonly #gpu: Gpu;
  readonly #layers: readonly LayerShape[];
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(gpu: Gpu, layers: readonly LayerShape[], limits: ExamLimits) {
    this.#gpu = gpu;
    this.#layers = layers;
    this.limits = limits;
    const most = gpu.device.limits.maxStorageBufferBindingSize;
    const fitting = Math.floor(most / _largestOfSlice(layers));
    const wanted = Math.min(limits.slicesAtOnce ?? Infinity, _mostOfDispatch(layers[0]));
    const atOnce = Math.max(1, Math.min(fitting, wanted));
    this.chunkSlices = Math.min(limits.slices, atOnce);
    this.chunks = Math.ceil(limits.slices / this.chunkSlices);
  }

  /** What a step uploads: its numbers, for the exam and for each chunk, then the voxels. */
  get upload(): GPUBuffer {
    const { slices, height, width, type } = this.limits;
    const voxels = slices * height * width * (type === "uint8" ? 1 : 4);
    const { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage;
    return this.#get("voxels", this.headerBytes + voxels, STORAGE | UNIFORM | COPY_DST);
  }

  /** Bytes ahead of the voxels. */
  get headerBytes(): number {
    return HEADER_BYTES * (this.chunks === 1 ? 1 : 1 + this.chunks);
  }

  /** Where the numbers of a chunk begin in what is uploaded. An exam of one chunk has them once. */
  headerOf(chunk: number): number {
    return this.chunks === 1 ? 0 : HEADER_BYTES * (1 + chunk);
  }

  /** The numbers of the step: for the whole exam, or for one chunk of it. */
  step(chunk?: number): GPUBufferBinding {
    const offset = chunk === undefined ? 0 : this.headerOf(chunk);
    return { buffer: this.upload, offset, size: HEADER_BYTES };
  }

  /** The exam's values as they are in its file. */
  get voxels(): GPUBufferBinding {
    return { buffer: this.upload, offset: this.headerBytes };
  }

  /** The input of a layer: the image, or what a layer ahead gives. */
  input(layer: number): GPUBuffer {
    const { source, input } = this.#layers[layer];
    return source === IMAGE ? this.#images("image", imageBytes(input)) : this.given(source);
  }

  /** What a layer gives to the next ones: the output of its pool, or of its convolution. */
  given(layer: number): GPUBuffer {
    const { pooled } = this.#layers[layer];
    if (pooled === undefined) return this.output(layer);
    return this.#images(`pool${layer + 1}`, imageBytes(pooled));
  }

  /** The output of a convolution. */
  output(layer: number): GPUBuffer {
    const { output } = this.#layers[layer];
    const bytes = this.#isOverwritten(layer) ? 4 * imageSize(output) : imageBytes(output);
    const { STORAGE, COPY_SRC } = GPUBufferUsage;
    const isLast = layer === this.#layers.length - 1;
    return this.#images(`conv${layer + 1}`, bytes, isLast ? STORAGE | COPY_SRC : STORAGE);
  }

  /** The output of the last convolution, which can be read. */
  get lastOutput(): GPUBuffer {
    return this.output(this.#layers.length - 1);
  }

  /** The argmax of each window of the pool behind a convolution. */
  codes(layer: number): GPUBuffer {
    const { height, width, channels } = this.#layers[layer].pooled!;
    return this.#images(`pool${layer + 1}, argmax`, height * width * channels);
  }

  /** The mean of each channel over each slice of the whole exam. */
  get means(): GPUBuffer {
    return this.scratch("means", this.#layers.at(-1)!.output.channels * this.limits.slices);
  }

  /** The gradient of a layer's output ahead of its pool. */
  outputGradient(layer: number): GPUBuffer {
    if (this.#isOverwritten(layer)) return this.output(layer);
    const { gradient, gradientOf } = this.#layers[layer];
    return this.#images(`conv${gradientOf + 1}, gradient`, imageBytes(gradient));
  }

  /** The same with zeros between its pixels. */
  dilatedGradient(layer: number): GPUBuffer {
    return this.#images(
      `conv${layer + 1}, dilated gradient`,
      imageBytes(this.#layers[layer].dilated!),
    );
  }

  /** The gradient of a layer's input, where it is but one share of the gradient of what it reads. */
  inputGradient(layer: number): GPUBuffer {
    const { height, width, channels } = this.#layers[layer].input;
    return this.#images(`conv${layer + 1}, input gradient`, 4 * height * width * channels);
  }

  /** The gradient of a pool's output, without a border. */
  pooledGradient(layer: number): GPUBuffer {
    const { height, width, channels } = this.#layers[layer].pooled!;
    return this.#images(`pool${layer + 1}, gradient`, 4 * height * width * channels);
  }

  /** A convolution's input, transformed by Winograd's algorithm; all layers share the buffer. */
  get points(): GPUBuffer {
    return this.#images("points", _largest(this.#layers.map(_pointsBytes)));
  }

  /** The products of Winograd's algorithm. */
  get products(): GPUBuffer {
    return this.#images("products", _largest(this.#layers.map(_pointsBytes)));
  }

  /** A buffer that does not depend on the number of slices of a chunk. */
  scratch(name: string, numbers: number): GPUBuffer {
    return this.#get(name, 4 * numbers);
  }

  /**
   * Whether the gradient of a layer's output is written over the output, and so is in single precision:
   * the first convolution's is the largest of all, and behind its pool it is not needed any more.
   */
  #isOverwritten(layer: number): boolean {
    const { source, pooled } = this.#layers[layer];
    return source === IMAGE && pooled !== undefined;
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#gpu.free(buffer);
    this.#buffers.clear();
  }

  #images(name: string, bytes: number, usage?: number): GPUBuffer {
    return this.#get(name, bytes * this.chunkSlices, usage);
  }

  #get(name: string, bytes: number, usage?: number): GPUBuffer {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined) {
      const { slices, height, width } = this.limits;
      const most = this.#gpu.device.limits.maxStorageBufferBindingSize;
      if (bytes > most) {
        throw new EngineError(
          `Cannot compute an exam of ${slices} slices of ${height}x${width} pixels on this GPU: ` +
            `'${name}' needs ${bytes} bytes in one piece and it gives ${most}: use --backend wasm`,
        );
      }
      buffer = this.#gpu.buffer(name, bytes, usage);
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }
}

/**
 * The most slices of one dispatch: WebGPU grants 65535 workgroups along an axis, and in shared tiles one
 * computes 64 pixels, of which the first layer has the most.
 */
function _mostOfDispatch({ output }: LayerShape): number {
  return Math.floor(65_535 * 64 / (output.height * output.width));
}

/** Bytes of the largest buffer a slice, whatever is computed. */
function _largestOfSlice(layers: readonly LayerShape[]): number {
  return _largest(layers.flatMap((layer) => [
    imageBytes(layer.input),
    4 * imageSize(layer.output),
    imageBytes(layer.gradient),
    layer.dilated === undefined ? 0 : imageBytes(layer.dilated),
    _pointsBytes(layer),
  ]));
}

/** Bytes a slice of a layer's input and of its products in Winograd's algorithm, whichever are more. */
function _pointsBytes({ winograd, input, output }: LayerShape): number {
  return winograd ? 4 * POINTS * tilesOf(output) * Math.max(input.channels, output.channels) : 0;
}

function _largest(numbers: number[]): number {
  return Math.max(...numbers);
}
