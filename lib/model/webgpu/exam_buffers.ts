/**
 * The GPU's memory for one exam: made for a size of slice and a number of slices, used again for every
 * exam that fits.
 *
 * @module
 */
import { EngineError } from "../../errors.ts";
import { imageSize } from "../../engine/webgpu/grid.ts";
import type { Gpu } from "../../engine/webgpu/gpu.ts";
import type { VoxelType } from "../../engine/webgpu/kernels/prepare_input.ts";
import { HEADER_BYTES } from "../../engine/webgpu/step.ts";
import type { LayerShape } from "./shape.ts";

/** What the buffers are made for. */
export interface ExamLimits {
  height: number;
  width: number;
  /** The most slices. */
  slices: number;
  type: VoxelType;
}

/** Buffers by what they hold; each is made when it is first asked for. */
export class ExamBuffers {
  readonly limits: ExamLimits;
  readonly #gpu: Gpu;
  readonly #layers: readonly LayerShape[];
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(gpu: Gpu, layers: readonly LayerShape[], limits: ExamLimits) {
    this.#gpu = gpu;
    this.#layers = layers;
    this.limits = limits;
  }

  /** What a step uploads: its numbers, then the voxels. */
  get upload(): GPUBuffer {
    const { slices, height, width, type } = this.limits;
    const voxels = slices * height * width * (type === "uint8" ? 1 : 4);
    const { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage;
    return this.#get("upload", HEADER_BYTES + voxels, STORAGE | UNIFORM | COPY_DST);
  }

  /** The numbers of the step. */
  get step(): GPUBufferBinding {
    return { buffer: this.upload, offset: 0, size: HEADER_BYTES };
  }

  /** The exam's values as they are in its file. */
  get voxels(): GPUBufferBinding {
    return { buffer: this.upload, offset: HEADER_BYTES };
  }

  /** The input of a layer: the image, or what the pool or the convolution ahead left. */
  input(layer: number): GPUBuffer {
    const name = layer === 0
      ? "image"
      : this.#layers[layer - 1].pooled
      ? `pool${layer}`
      : `conv${layer}`;
    return this.#images(name, imageSize(this.#layers[layer].input));
  }

  /** The output of a convolution. */
  output(layer: number): GPUBuffer {
    return this.#images(`conv${layer + 1}`, imageSize(this.#layers[layer].output));
  }

  /** Which inputs won the pool behind a convolution. */
  codes(layer: number): GPUBuffer {
    const { height, width, channels } = this.#layers[layer].pooled!;
    return this.#images(`pool${layer + 1}, winners`, height * width * channels / 4);
  }

  /** The mean of each channel over each slice. */
  get means(): GPUBuffer {
    return this.#images("means", this.#layers.at(-1)!.output.channels);
  }

  /** The gradient of a convolution's output, with the border that its input gradient wants. */
  outputGradient(layer: number, size: number): GPUBuffer {
    // The first convolution's output is not needed any more and is the largest of all.
    return layer === 0 ? this.output(0) : this.#images(`conv${layer + 1}, gradient`, size);
  }

  /** The gradient of what a pool left, without a border. */
  pooledGradient(layer: number): GPUBuffer {
    const { height, width, channels } = this.#layers[layer].pooled!;
    return this.#images(`pool${layer + 1}, gradient`, height * width * channels);
  }

  /** A buffer that does not depend on the number of slices. */
  scratch(name: string, numbers: number): GPUBuffer {
    return this.#get(name, 4 * numbers);
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#gpu.free(buffer);
    this.#buffers.clear();
  }

  #images(name: string, numbers: number): GPUBuffer {
    return this.#get(name, 4 * numbers * this.limits.slices);
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
