/**
 * MRNet's parameters on the GPU: one flat buffer, in PyTorch's order, so that Adam is one dispatch
 * where nothing is frozen.
 */
import type { BufferRange, Dispatch, Gpu } from "../../engine/webgpu/gpu.ts";
import { adam } from "../../engine/webgpu/kernels/adam.ts";
import {
  type Filter,
  foldFilters,
  rotateFilters180,
} from "../../engine/webgpu/kernels/filter_layouts.ts";
import { POINTS, transformFilters } from "../../engine/webgpu/kernels/winograd.ts";
import { addGradient } from "../../engine/webgpu/kernels/exam_chunks.ts";
import type { OptimizerState } from "../optimizer_state.ts";
import { assignParameter, type Parameters } from "../parameters.ts";
import { MRNET_PARAMETERS } from "../weights/mrnet.ts";
import { elementCount } from "../weights/tensors.ts";
import type { LayerShape } from "./shape.ts";

const SIZES = MRNET_PARAMETERS.map(({ shape }) => elementCount(shape)!);
/** Numbers in all parameters together. */
const COUNT = SIZES.reduce((all, size) => all + size, 0);
/** Numbers in those of the convolutions, which come first. */
const CONVOLUTIONS = COUNT - SIZES.slice(-2).reduce((all, size) => all + size, 0);

/** The names of the buffers of Adam's moments. */
type Moment = "first moment" | "second moment";

/** The parameters, their layouts for the kernels, their gradient and Adam's moments. */
export class WebGPUParameters {
  readonly #gpu: Gpu;
  readonly #parameters: Parameters;
  readonly #layers: readonly LayerShape[];
  readonly values: GPUBuffer;
  /** Layouts, gradients and moments by name, each made when it is first asked for. */
  readonly #buffers = new Map<string, GPUBuffer>();

  /** @param layers of slices of any size: what is read of them here does not depend on it */
  constructor(gpu: Gpu, parameters: Parameters, layers: readonly LayerShape[]) {
    this.#gpu = gpu;
    this.#parameters = parameters;
    this.#layers = layers;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    this.values = gpu.buffer("parameters", 4 * COUNT, STORAGE | COPY_DST | COPY_SRC);
  }

  /** The gradient of one chunk, in the layout of the parameters. */
  get gradient(): GPUBuffer {
    return this.#get("gradient", COUNT);
  }

  /** The gradient of an exam with this number of chunks. */
  gradientOf(chunks: number): GPUBuffer {
    return chunks === 1 ? this.gradient : this.#get("gradient of all chunks", COUNT);
  }

  /** A layer's filters as the forward pass wants them. */
  filters(layer: number): BufferRange {
    const { name, winograd, size, filterRow, output } = this.#layers[layer];
    if (layer === 0) return this.#get("conv1, folded", size * filterRow * output.channels);
    return winograd ? this.#transformed(layer, "") : this.range(this.values, name, "weight");
  }

  /** A layer's filters as a convolution with the gradient of its output wants them. */
  rotatedFilters(layer: number): GPUBuffer {
    return this.#layers[layer].winograd
      ? this.#transformed(layer, ", rotated")
      : this.rotated(layer);
  }

  /** A layer's filters rotated by 180°, with input and output channels exchanged. */
  rotated(layer: number): GPUBuffer {
    const { label, size, filterChannels, output } = this.#layers[layer];
    return this.#get(`${label}, rotated`, size * size * filterChannels * output.channels);
  }

  /** The range of a buffer with a layer's weight, its bias, or both: the bias follows the weight. */
  range(buffer: GPUBuffer, name: string, what: "weight" | "bias" | "both"): GPUBufferBinding {
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
      const data = await this.#parameters.get(name)!.data();
      flat.set(data as Float32Array, at);
      at += data.length;
    }
    this.#gpu.upload(this.values, new Uint8Array(flat.buffer));
  }

  /** Copies the parameters back into the model. */
  async store(): Promise<void> {
    const flat = new Float32Array(await this.#gpu.read(this.values, 4 * COUNT));
    let at = 0;
    for (const [name, { size }] of this.#parameters) {
      assignParameter(this.#parameters, name, flat.slice(at, at += size));
    }
  }

  /** Copies of Adam's two moments, by the parameters' names. */
  async moments(): Promise<Pick<OptimizerState, "first" | "second">> {
    const read = async (which: Moment) => {
      const flat = new Float32Array(await this.#gpu.read(this.#moment(which), 4 * COUNT));
      const named = new Map<string, Float32Array>();
      let at = 0;
      for (const [name, { size }] of this.#parameters) {
        named.set(name, flat.slice(at, at += size));
      }
      return named;
    };
    return { first: await read("first moment"), second: await read("second moment") };
  }

  /** Gives Adam's moments other values. */
  restore({ first, second }: Pick<OptimizerState, "first" | "second">): void {
    for (const [which, named] of [["first moment", first], ["second moment", second]] as const) {
      const flat = new Float32Array(COUNT);
      let at = 0;
      for (const [name, { size }] of this.#parameters) {
        flat.set(named.get(name)!, at);
        at += size;
      }
      this.#gpu.upload(this.#moment(which), new Uint8Array(flat.buffer));
    }
  }

  /** The dispatches that lay out the filters for the forward pass; to be run after each change. */
  layOut(): Promise<Dispatch[]> {
    return Promise.all(this.#layers.flatMap((layer, index) => {
      const filters = this.range(this.values, layer.name, "weight");
      const to = this.filters(index);
      if (index === 0) {
        const fold = foldFilters(_filter(layer), layer.filterRow);
        return [this.#gpu.prepare(fold, { filters, folded: to })];
      }
      if (!layer.winograd) return [];
      return [this.#gpu.prepare(transformFilters(_filter(layer)), { filters, transformed: to })];
    }));
  }

  /** The dispatches that lay out the filters for the backward pass; to be run ahead of each. */
  async rotate180(): Promise<Dispatch[]> {
    const last = this.#layers.length - 1;
    const prepared = await Promise.all(
      this.#layers.slice(1).map((layer, index) => {
        const filter = _filter(layer);
        const rotated = this.rotated(index + 1);
        const filters = this.range(this.values, layer.name, "weight");
        const dispatches = [this.#gpu.prepare(rotateFilters180(filter), { filters, rotated })];
        // The last layer's input gradient is not computed as a convolution.
        if (layer.winograd && index + 1 < last) {
          const { label, size, inChannels, outChannels } = filter;
          const exchanged = { label, size, inChannels: outChannels, outChannels: inChannels };
          const kernel = transformFilters({ ...exchanged, label: `${label}, rotated` });
          const transformed = this.rotatedFilters(index + 1);
          dispatches.push(this.#gpu.prepare(kernel, { filters: rotated, transformed }));
        }
        return Promise.all(dispatches);
      }),
    );
    return prepared.flat();
  }

  /** Adds a chunk's gradient to the exam's. The linear layer is left out: the head makes all of its. */
  async add(begins: boolean): Promise<Dispatch> {
    const size = 4 * CONVOLUTIONS;
    return await this.#gpu.prepare(addGradient(CONVOLUTIONS, begins), {
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
      _stretches(frozen).map(([start, count]) => {
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

  #transformed(layer: number, which: string): GPUBuffer {
    const { label, filterChannels, output } = this.#layers[layer];
    return this.#get(`${label}${which}, transformed`, POINTS * filterChannels * output.channels);
  }

  #moment(which: Moment): GPUBuffer {
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    return this.#get(which, COUNT, STORAGE | COPY_DST | COPY_SRC);
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

function _filter({ label, size, filterChannels, output }: LayerShape): Filter {
  return { label, size, inChannels: filterChannels, outChannels: output.channels };
}

/** The runs of parameters that are moved; each begins where a binding may. */
function _stretches(frozen: ReadonlySet<string>): [start: number, count: number][] {
  const stretches: [number, number][] = [];
  let [at, open] = [0, false];
  MRNET_PARAMETERS.forEach(({ name }, index) => {
    const moved = !frozen.has(name);
    if (moved && open) stretches.at(-1)![1] += SIZES[index];
    else if (moved) stretches.push([at, SIZES[index]]);
    open = moved;
    at += SIZES[index];
  });
  return stretches;
}
