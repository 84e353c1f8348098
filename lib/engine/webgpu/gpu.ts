/**
 * The toolkit's own GPU device, which TensorFlow.js shares: pipelines, buffers, and counts of what was
 * asked of it.
 */
import { EngineError, messageOf } from "../../errors.ts";
import { type Kernel, type KernelLaunch, layoutOf, wgslOf, type Workgroups } from "./kernel.ts";

/**
 * How products of matrices are tiled: in `registers` only, or through memory `shared` by a workgroup.
 *
 * A software adapter has no shared memory and barriers cost it dearly: there shared tiles
 * reach a fifth of what registers do. On a GPU it is the other way round.
 */
export type Tiles = "registers" | "shared";

/** A buffer, or a range of one. */
export type BufferRange = GPUBuffer | GPUBufferBinding;

/** A kernel with its buffers, ready to run again and again. */
export interface Dispatch {
  label: string;
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  /** The workgroups for an exam of this many slices. */
  workgroups: KernelLaunch["workgroups"];
  multiplyAdds?: KernelLaunch["multiplyAdds"];
}

/** What was asked of the device so far. */
export interface GpuCounts {
  dispatches: number;
  uploads: number;
  uploadedBytes: number;
  readBacks: number;
  /** Bytes in buffers that are held now. */
  heldBytes: number;
  /** The most bytes that were held at a time. */
  peakBytes: number;
}

/** A device with its pipelines, kept for as long as the process lives. */
export class Gpu {
  readonly device: GPUDevice;
  /** Whether it is a software adapter. */
  readonly software: boolean;
  /** How matrix products are tiled if nothing else is asked for. */
  readonly tiles: Tiles;
  readonly counts: GpuCounts = {
    dispatches: 0,
    uploads: 0,
    uploadedBytes: 0,
    readBacks: 0,
    heldBytes: 0,
    peakBytes: 0,
  };
  /** Throws once the device has failed. */
  readonly check: () => void;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, { software, check }: { software: boolean; check(): void }) {
    this.device = device;
    this.software = software;
    this.tiles = software ? "registers" : "shared";
    this.check = check;
  }

  /**
   * Compiles a kernel, once for each text, and binds its buffers. Deno compiles on the calling thread,
   * whichever of WebGPU's functions is called for it: nothing else goes on meanwhile.
   *
   * @param buffers a buffer for each of the kernel's bindings, by name
   */
  async prepare(
    { kernel, workgroups, multiplyAdds }: KernelLaunch,
    buffers: Readonly<Record<string, BufferRange>>,
  ): Promise<Dispatch> {
    const pipeline = await this.#compile(kernel);
    const group = this.device.createBindGroup({
      label: kernel.label,
      layout: pipeline.getBindGroupLayout(0),
      entries: kernel.bindings.map(({ name }, binding) => {
        const range = buffers[name];
        if (range === undefined) throw new Error(`Kernel '${kernel.label}' needs buffer '${name}'`);
        return { binding, resource: "buffer" in range ? range : { buffer: range } };
      }),
    });
    return { label: kernel.label, pipeline, group, workgroups: _once(workgroups), multiplyAdds };
  }

  /** Makes a buffer of zeros. */
  buffer(label: string, bytes: number, usage: number = GPUBufferUsage.STORAGE): GPUBuffer {
    const size = Math.ceil(bytes / 16) * 16;
    const buffer = this.device.createBuffer({ label, size, usage });
    this.counts.heldBytes += size;
    this.counts.peakBytes = Math.max(this.counts.peakBytes, this.counts.heldBytes);
    return buffer;
  }

  /** Frees a buffer. */
  free(buffer: GPUBuffer): void {
    this.counts.heldBytes -= buffer.size;
    buffer.destroy();
  }

  /** Copies to the start of a buffer; what is submitted later sees it. */
  upload(buffer: GPUBuffer, bytes: Uint8Array<ArrayBuffer>): void {
    this.device.queue.writeBuffer(buffer, 0, bytes);
    this.counts.uploads++;
    this.counts.uploadedBytes += bytes.byteLength;
  }

  /** Runs kernels one after the other; each sees what the ones before it wrote. */
  run(dispatches: readonly Dispatch[], slices: number): void {
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatch of dispatches) _encode(pass, dispatch, slices);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
    this.counts.dispatches += dispatches.length;
  }

  /**
   * Runs kernels as {@linkcode run} does, and measures each.
   *
   * @returns seconds, in the order of the dispatches; `undefined` if the adapter cannot measure. A number
   *   below 0 means that its counter began anew meanwhile. Not every adapter counts nanoseconds as
   *   WebGPU asks: whoever needs seconds compares one with the clock.
   */
  async time(dispatches: readonly Dispatch[], slices: number): Promise<number[] | undefined> {
    const { device } = this;
    if (!device.features.has("timestamp-query")) return undefined;
    const count = 2 * dispatches.length;
    const querySet = device.createQuerySet({ type: "timestamp", count });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const times = this.buffer("timestamps", 8 * count, usage);
    const encoder = device.createCommandEncoder();
    dispatches.forEach((dispatch, index) => {
      const [beginningOfPassWriteIndex, endOfPassWriteIndex] = [2 * index, 2 * index + 1];
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex },
      });
      _encode(pass, dispatch, slices);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, count, times, 0);
    device.queue.submit([encoder.finish()]);
    const ticks = new BigInt64Array(await this.read(times, 8 * count));
    this.free(times);
    querySet.destroy();
    return dispatches.map((_, index) => Number(ticks[2 * index + 1] - ticks[2 * index]) / 1e9);
  }

  /**
   * Copies the start of a buffer to the processor. It takes at least some ten milliseconds, whatever
   * the size, so many values are read at a time.
   */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.buffer("read-back", bytes, usage);
    this.counts.readBacks++;
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
      this.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, bytes);
      return staging.getMappedRange(0, bytes).slice(0);
    } finally {
      this.free(staging);
    }
  }

  #compile(kernel: Kernel): Promise<GPUComputePipeline> {
    const code = wgslOf(kernel);
    let pipeline = this.#pipelines.get(code);
    if (pipeline === undefined) {
      const { device } = this;
      const { label } = kernel;
      const layout = device.createPipelineLayout({
        bindGroupLayouts: [device.createBindGroupLayout({ label, entries: layoutOf(kernel) })],
      });
      const module = device.createShaderModule({ label, code });
      const compute = { module, entryPoint: "main" };
      pipeline = device.createComputePipelineAsync({ label, layout, compute })
        .catch((error) => _compilationError(kernel, module, error));
      this.#pipelines.set(code, pipeline);
    }
    return pipeline;
  }
}

/** The workgroups by the number of slices, each computed once: a step asks every kernel for them. */
function _once(workgroups: KernelLaunch["workgroups"]): KernelLaunch["workgroups"] {
  const known = new Map<number, Workgroups>();
  return (slices) => {
    let groups = known.get(slices);
    if (groups === undefined) known.set(slices, groups = workgroups(slices));
    return groups;
  };
}

function _encode(pass: GPUComputePassEncoder, dispatch: Dispatch, slices: number): void {
  pass.setPipeline(dispatch.pipeline);
  pass.setBindGroup(0, dispatch.group);
  pass.dispatchWorkgroups(...(dispatch.workgroups(slices) as [number, number?, number?]));
}

/** The device says only that a module is invalid; the module knows where and why. */
async function _compilationError(
  { label }: Kernel,
  module: GPUShaderModule,
  error: unknown,
): Promise<never> {
  const { messages } = await module.getCompilationInfo();
  const found = messages.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`);
  throw new EngineError(
    `Cannot compile the GPU kernel '${label}': ${[...found, messageOf(error)].join("; ")}`,
  );
}
