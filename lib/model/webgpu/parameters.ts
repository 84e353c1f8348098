/**
 * MRNet's parameters on the GPU: one flat buffer, in PyTorch's order, so that Adam is one dispatch
 * where nothing is frozen.
 */
import type { BufferRange, Dispatch, Gpu } from "../../engine/webgpu/gpu.ts";
import { foldBatchNorm } from "../../engine/webgpu/kernels/batch_norm.ts";
import { adam } from "../../engine/webgpu/kernels/adam.ts";
import { foldFilters, rotateFilters180 } from "../../engine/webgpu/kernels/filter_layouts.ts";
import type { Filter } from "../../engine/webgpu/kernels/filter_layouts.ts";
import { POINTS, transformFilters } from "../../engine/webgpu/kernels/winograd.ts";
import { addGradient } from "../../engine/webgpu/kernels/exam_chunks.ts";
import type { OptimizerState } from "../optimizer_state.ts";
import { convolutionsOf, convolutionState } from "../../network/parameters.ts";
import { NETWORK_PREFIX } from "../names.ts";
import type { Snapshot } from "../engine_network.ts";
import { fromPyTorch, toPyTorch } from "../layout.ts";
import { type NetworkState, stateDictOf } from "../parameters.ts";
import { elementCount } from "../weights/tensors.ts";
import type { LayerShape } from "./shape.ts";

/** The names of the buffers of Adam's moments. */
type Moment = "first moment" | "second moment";

/** The parameters, their layouts for the kernels, their gradient and Adam's moments. */
export class WebGPUParameters {
  readonly #gpu: Gpu;
  readonly #model: NetworkState;
  readonly #layers: readonly LayerShape[];
  readonly values: GPUBuffer;
  /** Where each layer's parameters begin, and how many numbers they are. */
  readonly #ranges: { start: number; count: number; weights: number }[] = [];
  /** Numbers in the parameters of the convolutions, which come first. */
  readonly #convolutions: number;
  /** Numbers in all parameters together. */
  readonly #count: number;
  /** Layouts, gradients and moments by name, each made when it is first asked for. */
  readonly #buffers = new Map<string, GPUBuffer>();

  /** @param layers of slices of any size: what is read of them here does not depend on it */
  constructor(gpu: Gpu, model: NetworkState, layers: readonly LayerShape[]) {
    this.#gpu = gpu;
    this.#model = model;
    this.#layers = layers;
    let start = 0;
    for (const node of convolutionsOf(model.network)) {
      const sizes = convolutionState(node).parameters.map(({ shape }) => elementCount(shape)!);
      const count = sizes.reduce((all, size) => all + size, 0);
      this.#ranges.push({ start, count, weights: sizes[0] });
      start += count;
    }
    this.#convolutions = start;
    this.#count = start + 2 * model.network.channels + 2;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    this.values = gpu.buffer("parameters", 4 * this.#count, STORAGE | COPY_DST | COPY_SRC);
  }

  /** The gradient of one chunk, in the layout of the parameters. */
  get gradient(): GPUBuffer {
    return this.#get("gradient", this.#count);
  }

  /** The gradient of an exam with this number of chunks. */
  gradientOf(chunks: number): GPUBuffer {
    return chunks === 1 ? this.gradient : this.#get("gradient of all chunks", this.#count);
  }

  /** A layer's filters as the forward pass wants them. */
  filters(layer: number): BufferRange {
    const { image, winograd, size, filterRow, output } = this.#layers[layer];
    if (image !== undefined) return this.#get("conv1, folded", size * filterRow * output.channels);
    return winograd ? this.#transformed(layer, "") : this.#plain(layer).filters;
  }

  /** A layer's bias. */
  bias(layer: number): GPUBufferBinding {
    return this.#plain(layer).bias;
  }

  /** A layer's filters as a convolution with the gradient of its output wants them. */
  rotatedFilters(layer: number): GPUBuffer {
    return this.#layers[layer].winograd
      ? this.#transformed(layer, ", rotated")
      : this.rotated(layer);
  }

  /** A layer's filters rotated by 180°, with input and output channels exchanged. */
  rotated(layer: number): GPUBuffer {
    return this.#get(`${this.#layers[layer].label}, rotated`, this.#ranges[layer].weights);
  }

  /** The range of a layer's parameters: filters first. */
  range(layer: number): GPUBufferBinding {
    return this.#range(this.values, layer);
  }

  /** The range of their gradient. */
  gradientRange(layer: number): GPUBufferBinding {
    return this.#range(this.gradient, layer);
  }

  /** The gradients of filters and bias that are folded from a batch normalisation; layers share it. */
  foldedGradient(layer: number): GPUBufferBinding {
    const most = Math.max(...this.#layers.map((_, index) => this.#foldedCount(index)));
    return {
      buffer: this.#get("gradient of folded filters", most),
      size: 4 * this.#foldedCount(layer),
    };
  }

  /** The running mean and variance of a layer's batch normalisation. */
  statistics(layer: number): GPUBuffer {
    const { label, output } = this.#layers[layer];
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    return this.#get(`${label}, statistics`, 2 * output.channels, usage);
  }

  /** The range of a buffer that belongs to the linear layer: its weight, then its bias. */
  head(buffer: GPUBuffer): GPUBufferBinding {
    const [start, count] = [this.#convolutions, this.#count - this.#convolutions];
    return { buffer, offset: 4 * start, size: 4 * count };
  }

  /** Copies the model's parameters and statistics to the GPU. */
  async load(): Promise<void> {
    const { network, parameters, statistics } = this.#model;
    const flat = new Float32Array(this.#count);
    let at = 0;
    for (const parameter of parameters.values()) {
      const data = await parameter.data();
      flat.set(data as Float32Array, at);
      at += data.length;
    }
    this.#gpu.upload(this.values, new Uint8Array(flat.buffer));
    convolutionsOf(network).forEach((node, layer) => {
      const held = convolutionState(node).statistics;
      if (held.length === 0) return;
      const values = held.flatMap(({ name }) => [...statistics.get(NETWORK_PREFIX + name)!]);
      this.#gpu.upload(this.statistics(layer), new Uint8Array(Float32Array.from(values).buffer));
    });
  }

  /** A copy of the parameters and, behind so many steps, of Adam's moments. */
  async snapshot(steps: number): Promise<Snapshot> {
    const buffers = [this.values];
    if (steps > 0) buffers.push(this.#moment("first moment"), this.#moment("second moment"));
    const [values, first, second] = await Promise.all(buffers.map((each) => this.#read(each)));
    return {
      parameters: stateDictOf(this.#model, values),
      optimizer: steps > 0 ? { steps, first, second } : undefined,
    };
  }

  /** Gives Adam's moments other values. */
  restore({ first, second }: Pick<OptimizerState, "first" | "second">): void {
    for (const [which, named] of [["first moment", first], ["second moment", second]] as const) {
      const flat = new Float32Array(this.#count);
      let at = 0;
      for (const [name, { size, shape }] of this.#model.parameters) {
        flat.set(fromPyTorch(named.get(name)!, shape), at);
        at += size;
      }
      this.#gpu.upload(this.#moment(which), new Uint8Array(flat.buffer));
    }
  }

  /** The dispatches that lay out the filters for the forward pass; to be run after each change. */
  layOut(): Promise<Dispatch[]> {
    return Promise.all(this.#layers.flatMap((layer, index) => {
      const { image, filterRow, winograd, batchNorm } = layer;
      const filter = filterOf(layer);
      const { filters } = this.#plain(index);
      const to = this.filters(index);
      const dispatches: Promise<Dispatch>[] = [];
      if (batchNorm) {
        const [parameters, statistics] = [this.range(index), this.statistics(index)];
        const folded = this.#folded(index);
        dispatches.push(
          this.#gpu.prepare(foldBatchNorm(filter), { parameters, statistics, folded }),
        );
      }
      if (image !== undefined) {
        const fold = foldFilters(filter, { filterRow, blocks: image.blocks });
        dispatches.push(this.#gpu.prepare(fold, { filters, folded: to }));
      } else if (winograd) {
        dispatches.push(this.#gpu.prepare(transformFilters(filter), { filters, transformed: to }));
      }
      return dispatches;
    }));
  }

  /** The dispatches that lay out the filters for the backward pass; to be run ahead of each. */
  async rotate180(): Promise<Dispatch[]> {
    const prepared = await Promise.all(
      this.#layers.map((layer, index) => {
        // The image has no gradient.
        if (layer.image !== undefined) return [];
        const filter = filterOf(layer);
        const rotated = this.rotated(index);
        const { filters } = this.#plain(index);
        const dispatches = [this.#gpu.prepare(rotateFilters180(filter), { filters, rotated })];
        // The input gradient of a last layer with a pool is not computed as a convolution.
        const isLast = index === this.#layers.length - 1 && layer.pool !== undefined;
        if (layer.winograd && !isLast) {
          const { label, size, inChannels, outChannels } = filter;
          const exchanged = { label, size, inChannels: outChannels, outChannels: inChannels };
          const kernel = transformFilters({ ...exchanged, label: `${label}, rotated` });
          const transformed = this.rotatedFilters(index);
          dispatches.push(this.#gpu.prepare(kernel, { filters: rotated, transformed }));
        }
        return Promise.all(dispatches);
      }),
    );
    return prepared.flat();
  }

  /** Adds a chunk's gradient to the exam's. The linear layer is left out: the head makes all of its. */
  async add(begins: boolean): Promise<Dispatch> {
    const size = 4 * this.#convolutions;
    return await this.#gpu.prepare(addGradient(this.#convolutions, begins), {
      gradient: { buffer: this.gradient, size },
      total: { buffer: this.gradientOf(2), size },
    });
  }

  /**
   * The dispatch that moves the parameters by the gradient of an exam.
   *
   * @param step the numbers of the step
   * @param chunks how many chunks the exam has
   * @param frozen the names of those that stay as they are
   */
  adam(
    step: GPUBufferBinding,
    chunks: number,
    frozen: ReadonlySet<string>,
  ): Promise<Dispatch[]> {
    return Promise.all(
      this.#stretches(frozen).map(([start, count]) => {
        // Whole vectors: behind the last parameter there is room for them.
        const of = (buffer: GPUBuffer) => ({
          buffer,
          offset: 4 * start,
          size: 16 * Math.ceil(count / 4),
        });
        return this.#gpu.prepare(adam(count), {
          step,
          gradient: of(this.gradientOf(chunks)),
          parameters: of(this.values),
          first: of(this.#moment("first moment")),
          second: of(this.#moment("second moment")),
        });
      }),
    );
  }

  dispose(): void {
    for (const buffer of [this.values, ...this.#buffers.values()]) this.#gpu.free(buffer);
    this.#buffers.clear();
  }

  /** What a buffer holds, by the parameters' names and in PyTorch's layout. */
  async #read(buffer: GPUBuffer): Promise<Map<string, Float32Array>> {
    const flat = new Float32Array(await this.#gpu.read(buffer, 4 * this.#count));
    const named = new Map<string, Float32Array>();
    let at = 0;
    for (const [name, { size, shape }] of this.#model.parameters) {
      named.set(name, toPyTorch(flat.subarray(at, at += size), shape));
    }
    return named;
  }

  /** The filters and the bias that a layer computes with: its own, or folded ones. */
  #plain(layer: number): { filters: GPUBufferBinding; bias: GPUBufferBinding } {
    const { batchNorm, output } = this.#layers[layer];
    const { start, weights } = this.#ranges[layer];
    const [buffer, first] = batchNorm ? [this.#folded(layer), 0] : [this.values, start];
    return {
      filters: { buffer, offset: 4 * first, size: 4 * weights },
      bias: { buffer, offset: 4 * (first + weights), size: 4 * output.channels },
    };
  }

  #folded(layer: number): GPUBuffer {
    const { label } = this.#layers[layer];
    return this.#get(`${label}, with batch normalisation`, this.#foldedCount(layer));
  }

  #foldedCount(layer: number): number {
    return this.#ranges[layer].weights + this.#layers[layer].output.channels;
  }

  #range(buffer: GPUBuffer, layer: number): GPUBufferBinding {
    const { start, count } = this.#ranges[layer];
    return { buffer, offset: 4 * start, size: 4 * count };
  }

  /** The runs of parameters that are moved; each begins where a binding may. */
  #stretches(frozen: ReadonlySet<string>): [start: number, count: number][] {
    const stretches: [number, number][] = [];
    let [at, open] = [0, false];
    for (const [name, { size }] of this.#model.parameters) {
      const moved = !frozen.has(name);
      if (moved && open) stretches.at(-1)![1] += size;
      else if (moved) stretches.push([at, size]);
      open = moved;
      at += size;
    }
    return stretches;
  }

  #transformed(layer: number, which: string): GPUBuffer {
    const { label, filterChannels, output } = this.#layers[layer];
    return this.#get(`${label}${which}, transformed`, POINTS * filterChannels * output.channels);
  }

  #moment(which: Moment): GPUBuffer {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    return this.#get(which, this.#count, STORAGE | COPY_DST | COPY_SRC);
  }

  #get(name: string, numbers: number, usage?: number): GPUBuffer {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined) {
      buffer = this.#gpu.buffer(name, 4 * numbers, usage);
      this.#buffers.set(name, buffer);
    }
    return buffer;
  }
}

/** A layer's filter as it is in the parameters. */
export function filterOf({ label, filterSize, filterChannels, output }: LayerShape): Filter {
  return { label, size: filterSize, inChannels: filterChannels, outChannels: output.channels };
}
