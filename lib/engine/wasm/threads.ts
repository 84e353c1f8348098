/** The kernels on several threads that share one memory: the caller's own and workers. */
import { EngineError, messageOf } from "../../errors.ts";
import { type Capabilities, findCapabilities, sharesMemory, threadsToUse } from "./capabilities.ts";
import { CONTROL_WORDS, execute, instantiate, type Thread } from "./thread.js";
import workerText from "./thread.js" with { type: "text" };

/** A page of WebAssembly's memory, in bytes. */
const PAGE = 65536;
/** As much as 32-bit addresses reach. */
const MAX_PAGES = 65536;
/** Where the control block is; the kernels' own constants, and their operands at constant addresses, lie below. */
const CONTROL_AT = PAGE;

/** The first byte address that is free for data. */
export const FIRST_FREE = CONTROL_AT + CONTROL_WORDS * 4;

/** How to start the threads. */
export interface ThreadsOptions {
  /** How many, at least 1; with 1 there is no worker. Without workers or memory for them there is 1. */
  threads: number;
  /**
   * How long to wait for a thread that is late while no thread ends a kernel's call, in milliseconds.
   * @default 10_000
   */
  patience?: number;
  /**
   * How long the workers may take to start, in milliseconds.
   * @default 60_000
   */
  startPatience?: number;
  /**
   * What the runtime has.
   * @default what is found
   */
  capabilities?: Capabilities;
}

type Setup = Required<ThreadsOptions> & { module: WebAssembly.Module };

/** Threads that run programs of kernels together. To be disposed of. */
export class Threads {
  /** How many there are. */
  readonly count: number;
  readonly #memory: WebAssembly.Memory;
  readonly #own: Thread;
  readonly #workers: Worker[] = [];
  /** What starts the workers. */
  readonly #begin: () => Promise<void>;
  /** Until the workers have started; `undefined` while they rest. */
  #ready: Promise<void> | undefined;
  #failure: string | undefined;
  /** Ends the wait for workers that have not started. */
  #abandon: (reason: string) => void = () => {};

  private constructor({ module, threads, patience, startPatience, capabilities }: Setup) {
    this.count = threads;
    const memory = new WebAssembly.Memory({
      initial: 2,
      maximum: MAX_PAGES,
      shared: sharesMemory(capabilities),
    });
    this.#memory = memory;
    const shared = { memory, control: CONTROL_AT, threads, patience };
    this.#own = { ...shared, kernels: instantiate(module, memory) };
    this.#begin = () => {
      const started = this.#start({ ...shared, module }, startPatience);
      // A failure reaches those who wait for it; there may be none yet.
      started.catch(() => {});
      return started;
    };
    this.#ready = this.#begin();
  }

  /**
   * Loads the kernels and starts the workers, which are waited for by {@linkcode Threads.ready}.
   *
   * @throws {EngineError} if the kernels or the memory cannot be had
   */
  static async start(options: ThreadsOptions): Promise<Threads> {
    const { patience = 10_000, startPatience = 60_000 } = options;
    const { capabilities = findCapabilities() } = options;
    const threads = threadsToUse(options.threads, capabilities);
    try {
      // Loaded when it is needed, for loading compiles.
      const { loadKernels } = await import("./kernels.js");
      const module = await loadKernels(capabilities);
      return new Threads({ module, threads, patience, startPatience, capabilities });
    } catch (error) {
      throw new EngineError(
        `Cannot start the processor's kernels: ${
          messageOf(error)
        }: try --threads 1 or --backend cpu`,
      );
    }
  }

  /**
   * Resolves once every worker can compute; workers that rest are started anew, which takes some 20 ms
   * each.
   *
   * @throws {EngineError} if one cannot
   */
  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#lost();
    await (this.#ready ??= this.#begin());
  }

  /** Ends the workers until {@linkcode Threads.ready} is asked for; what is in the memory stays there. */
  rest(): void {
    if (this.count > 1) this.#end("they rest");
  }

  /** Whether a thread has failed, or the threads were ended: they are of no use any more. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The memory's bytes; to be read anew after {@linkcode Threads.reserve}. */
  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }

  /**
   * Grows the memory so that addresses below `bytes` can be used.
   *
   * @throws {EngineError} if there is not so much memory
   */
  reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.#memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return;
    try {
      this.#memory.grow(missing);
    } catch {
      const smaller = "use exams of fewer or smaller slices";
      throw new EngineError(
        `Cannot get ${Math.ceil(bytes / 1e6)} MB of memory for the exam: ` +
          (this.count === 1 ? smaller : `${smaller}, or fewer --threads than ${this.count}`),
      );
    }
  }

  /**
   * Runs a program on each thread and returns when all are done.
   *
   * @param programs byte addresses, one a thread; each program's last call is a barrier
   * @throws {EngineError} if a thread failed; the threads are of no use afterwards
   */
  run(programs: readonly number[]): void {
    if (this.#failure !== undefined) throw this.#lost();
    if (this.#ready === undefined) throw this.#lost("they rest");
    this.#workers.forEach((worker, index) => worker.postMessage(programs[index + 1]));
    try {
      execute(this.#own, programs[0]);
    } catch (error) {
      this.#failure = messageOf(error);
      throw this.#lost();
    }
  }

  /** Ends the workers. */
  dispose(): void {
    this.#failure ??= "they were ended";
    this.#end(this.#failure);
  }

  #end(reason: string): void {
    this.#abandon(reason);
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
    this.#ready = undefined;
  }

  async #start(
    setup: Omit<Thread, "kernels"> & { module: WebAssembly.Module },
    startPatience: number,
  ): Promise<void> {
    if (setup.threads === 1) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const url = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    try {
      const starts: Promise<void>[] = [];
      for (let thread = 1; thread < setup.threads; thread++) {
        const worker = this.#makeWorker(url);
        this.#workers.push(worker);
        starts.push(
          new Promise((resolve, reject) => {
            const fail = (reason: string) => {
              this.#failure ??= reason;
              reject(this.#lost());
            };
            worker.onmessage = ({ data }) => data === "ready" ? resolve() : fail(data);
            worker.onerror = (event) => {
              event.preventDefault();
              fail(event.message);
            };
          }),
        );
        worker.postMessage(setup);
      }
      const abandoned = new Promise<never>((_, reject) => {
        this.#abandon = (reason) => reject(this.#lost(reason));
      });
      timer = setTimeout(() => {
        this.#failure ??= "one of them does not start";
        this.#abandon(this.#failure);
      }, startPatience);
      await Promise.race([Promise.all(starts), abandoned]);
    } finally {
      clearTimeout(timer);
      URL.revokeObjectURL(url);
    }
  }

  #makeWorker(url: string): Worker {
    try {
      return new Worker(url, { type: "module", name: "mrnet-kernels" });
    } catch (error) {
      this.#failure = messageOf(error);
      throw this.#lost();
    }
  }

  #lost(reason = this.#failure): EngineError {
    return new EngineError(
      `Cannot compute on ${this.count} threads: ${reason}: try --threads 1`,
    );
  }
}
