/**
 * MRNet's parameters on the GPU: one flat buffer, in PyTorch's order, so that Adam is one dispatch.
 *
 * @module
 */
import type { Dispatch, Gpu } from "../../engine/webgpu/gpu.ts";
import { adam } from "../../engine/webgpu/kernels/adam.ts";
import {
  type Filter,
  foldFilters,
  turnFilters,
} from "../../engine/webgpu/kernels/filter_layouts.ts";
import type { MRNet } from "../mrnet.ts";
import { MRNET_PARAMETERS } from "../weights/mrnet.ts";
import { elementCount } from "../weights/tensors.ts";
import type { LayerShape } from "./shape.ts";

const SIZES = MRNET_PARAMETERS.map(({ shape }) => elementCount(shape)!);
/** Numbers in all parameters together. */
const COUNT = SIZES.reduce((all, size) => all + size, 0);

/** The parameters, the layouts of them that the kernels want, their gradient and Adam's moments. */
export class GpuParameters {
  readonly #gpu: Gpu;
  readonly #model: MRNet;
  readonly values: GPUBuffer;
  /** The first convolution's filters, summed over their inputs. */
  readonly folded: GPUBuffer;
  /** The filters as their input gradients want them, by layer; the first has none. */
  readonly turned: (GPUBuffer | undefined)[] = [];
  #gradient: GPUBuffer | undefined;
  #moments: GPUBuffer[] = [];

  constructor(gpu: Gpu, model: MRNet, layers: readonly LayerShape[]) {
    this.#gpu = gpu;
    this.#model = model;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    this.values = gpu.buffer("parameters", 4 * COUNT, STORAGE | COPY_DST | COPY_SRC);
    const [first] = layers;
    const folded = first.size * first.filterRow * first.output.channels;
    this.folded = gpu.buffer("conv1, folded", 4 * folded);
  }

  /** The gradient, of the same layout; made when training begins. */
  get gradient(): GPUBuffer {
    return this.#gradient ??= this.#gpu.buffer("gradient", 4 * COUNT);
  }

  /** A weight together with the bias behind it, or one of the two, as a part of a buffer. */
  part(buffer: GPUBuffer, name: string, what: "weight" | "bias" | "both"): GPUBufferBinding {
    const index = MRNET_PARAMETERS.findIndex((each) => each.name === `${name}.weight`);
    const start = SIZES.slice(0, index).reduce((all, size) => all + size, 0);
    const [weight, bias] = [SIZES[index], SIZES[index + 1]];
    const [from, count] =
      { weight: [0, weight], bias: [weight, bias], both: [0, weight + bias] }[what];
    return { buffer, offset: 4 * (start + from), size: 4 * count };
  }

  /** Copies the model's parameters to the GPU. */
  async load(): Promise<void> {
    const flat = new Float32Array(COUNT);
    let at = 0;
    for (const { name } of MRNET_PARAMETERS) {
      const data = await this.#model.parameters.get(name)!.data();
      flat.set(data as Float32Array, at);
      at += data.length;
    }
    this.#gpu.upload(this.values, new Uint8Array(flat.buffer));
  }

  /** Copies the parameters back into the model. */
  async store(): Promise<void> {
    const flat = new Float32Array(await this.#gpu.read(this.values, 4 * COUNT));
    let at = 0;
    for (const [name, { size }] of this.#model.parameters) {
      this.#model.assign(name, flat.slice(at, at += size));
    }
  }

  /** What makes the folded filters; to be run when the parameters have changed. */
  fold(layers: readonly LayerShape[]): Promise<Dispatch[]> {
    const kernel = foldFilters(_filter(layers[0]), layers[0].filterRow);
    const filters = this.part(this.values, layers[0].name, "weight");
    const buffers = { filters, folded: this.folded };
    return Promise.all([this.#gpu.prepare(kernel, buffers)]);
  }

  /** What makes the turned filters; to be run ahead of a backward pass. */
  turn(layers: readonly LayerShape[]): Promise<Dispatch[]> {
    return Promise.all(
      layers.slice(1).map((layer, index) => {
        const kernel = turnFilters(_filter(layer));
        const filters = this.part(this.values, layer.name, "weight");
        const turned = this.turned[index + 1] ??= this.#gpu.buffer(
          kernel.kernel.label,
          filters.size!,
        );
        return this.#gpu.prepare(kernel, { filters, turned });
      }),
    );
  }

  /**
   * What moves the parameters.
   *
   * @param step the numbers of the step
   */
  async adam(step: GPUBufferBinding): Promise<Dispatch> {
    if (this.#moments.length === 0) {
      this.#moments = ["first moment", "second moment"].map((label) =>
        this.#gpu.buffer(label, 4 * COUNT)
      );
    }
    const [first, second] = this.#moments;
    const buffers = { step, gradient: this.gradient, parameters: this.values, first, second };
    return await this.#gpu.prepare(adam(COUNT), buffers);
  }

  dispose(): void {
    const buffers = [this.values, this.folded, ...this.turned, this.#gradient, ...this.#moments];
    for (const buffer of buffers) if (buffer !== undefined) this.#gpu.free(buffer);
  }
}

function _filter({ label, size, filterChannels, output }: LayerShape): Filter {
  return { label, size, inChannels: filterChannels, outChannels: output.channels };
}
