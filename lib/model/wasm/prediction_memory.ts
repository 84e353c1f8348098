/**
 * The memory and the threads with which all models of this process that have the same network read exams on
 * the WebAssembly engine. A model takes some 60 MB for its weights, with ResNet-18 some 200 MB; the memory
 * for an exam is shared.
 */
import { Threads } from "../../engine/wasm/threads.ts";
import type { Network } from "../../network/network.ts";
import { NetworkPrograms } from "./network_programs.ts";
import { NetworkMemory } from "./network_memory.ts";

/**
 * What exams may hold after the last one, in bytes for each thread: a slice of 1024×1024 takes 50 MB, with
 * ResNet-18 one of 512×512.
 */
const MAX_HELD = 64 * 1024 * 1024;

/** After so many small exams in a row, the memory that larger ones took is given back. */
const SMALL_EXAMS = 12;

/** Memory up to this is kept whatever exams need, in bytes for each thread: a slice of 512×512 takes 16 MB. */
const MAX_SPARE = 24 * 1024 * 1024;

/** More threads take longer to start, some 20 ms each, than they save of a first exam. */
export const MAX_THREADS = 4;

/** After so many milliseconds without an exam the workers end: with them, a script would not. */
const IDLE = 100;

/** A memory, the network that all models in it have, and how many threads were asked for. */
interface Taken {
  network: Network;
  threads: number;
  memory: Promise<PredictionMemory>;
}

/** The memories in use: of a network at most one with one thread, and one with several. */
const current = new Set<Taken>();

/** The models of one network that have read an exam since the memory was taken. */
export class PredictionMemory {
  readonly #threads: Threads;
  /** Lets go of this memory: the next exam takes another. */
  readonly #drop: () => void;
  readonly #memory: NetworkMemory;
  readonly #networks = new WeakMap<object, NetworkPrograms>();
  /** Models that nobody has disposed of give their memory back, too. */
  readonly #gone = new FinalizationRegistry<NetworkPrograms>((network) =>
    network[Symbol.dispose]()
  );

  #small = 0;
  /** Exams that are being read. */
  #readings = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  private constructor(threads: Threads, network: Network, drop: () => void) {
    this.#threads = threads;
    this.#drop = drop;
    this.#memory = new NetworkMemory(threads, false, network);
    this.#restSoon();
  }

  /**
   * The memory in use; it is taken if there is none.
   *
   * @param threads how many may compute at most
   * @throws {EngineError} if the kernels cannot be started
   */
  static async current(network: Network, threads: number): Promise<PredictionMemory> {
    for (const before of current) {
      if (before.network !== network) continue;
      if (before.threads === threads) {
        const memory = await before.memory;
        if (!memory.#threads.failed) return memory;
        memory.#drop();
        return await PredictionMemory.current(network, threads);
      }
      // The engine was started anew, with another number.
      if (before.threads > 1 && threads > 1) current.delete(before);
    }
    const drop = () => void current.delete(taken);
    const memory = Threads.start({ threads: Math.min(threads, MAX_THREADS) })
      .then((started) => new PredictionMemory(started, network, drop));
    const taken = { network, threads, memory };
    current.add(taken);
    // The next one tries again.
    memory.catch(drop);
    return await memory;
  }

  /** Gives back what a model of this network has in the memory in use, and ends workers that do nothing. */
  static forget(owner: object, network: Network): void {
    for (const taken of current) {
      if (taken.network === network) taken.memory.then((memory) => memory.#forget(owner), () => {});
    }
  }

  /** How many threads compute. */
  get threads(): number {
    return this.#threads.count;
  }

  /**
   * Begins to read an exam; its end is when the result is disposed of.
   *
   * @throws {EngineError} if the workers cannot be started
   */
  async begin(): Promise<Disposable> {
    this.#readings++;
    clearTimeout(this.#idle);
    try {
      await this.#threads.ready();
    } catch (error) {
      this.#end();
      throw error;
    }
    return { [Symbol.dispose]: () => this.#end() };
  }

  /**
   * What computes a model in this memory.
   *
   * @param owner the model's network
   * @throws {EngineError} if there is no memory for it
   */
  programsOf(owner: object): NetworkPrograms {
    let programs = this.#networks.get(owner);
    if (programs === undefined) {
      programs = new NetworkPrograms(this.#threads, this.#memory);
      this.#networks.set(owner, programs);
      this.#gone.register(owner, programs, programs);
    }
    return programs;
  }

  #end(): void {
    this.#readings--;
    if (this.#threads.failed) this.#drop();
    this.#giveBack();
    this.#restSoon();
  }

  /**
   * Lets go of all memory if exams took very much of it: it cannot shrink. Reads that are under way end
   * in it. The models' weights are then packed anew in new memory, which takes some 25 ms a model.
   */
  #giveBack(): void {
    const { heldBytes, examBytes } = this.#memory;
    const small = heldBytes > MAX_SPARE * this.threads && examBytes < heldBytes / 2;
    // Not after each: the old memory is held beside the new until it is collected.
    this.#small = small ? this.#small + 1 : 0;
    if (heldBytes > MAX_HELD * this.threads || this.#small >= SMALL_EXAMS) this.#drop();
  }

  #restSoon(): void {
    if (this.#readings > 0 || this.threads === 1) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#threads.rest(), IDLE);
  }

  #forget(owner: object): void {
    if (this.#readings === 0) {
      clearTimeout(this.#idle);
      this.#threads.rest();
    }
    const programs = this.#networks.get(owner);
    if (programs === undefined) return;
    this.#networks.delete(owner);
    this.#gone.unregister(programs);
    programs[Symbol.dispose]();
  }
}
