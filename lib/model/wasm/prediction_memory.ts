/**
 * The memory in which all models of this process that have the same network read exams on the WebAssembly
 * engine. A model takes some 60 MB for its weights, with ResNet-18 some 200 MB; the memory for an exam is
 * shared.
 */
import { Threads } from "../../engine/wasm/threads.ts";
import type { Network } from "../../network/network.ts";
import { NetworkPrograms } from "./network_programs.ts";
import { NetworkMemory } from "./network_memory.ts";

/**
 * What exams may hold after the last one, in bytes: a slice of 1024×1024 takes 50 MB, with ResNet-18 one of
 * 512×512.
 */
const MAX_HELD = 64 * 1024 * 1024;

/** After so many small exams in a row, the memory that larger ones took is given back. */
const SMALL_EXAMS = 12;

/** Memory up to this is kept whatever exams need, in bytes: a slice of 512×512 takes 16 MB. */
const MAX_SPARE = 24 * 1024 * 1024;

/** The memory in use, by the network that all models in it have. */
const current = new Map<Network, Promise<PredictionMemory>>();

/** The models of one network that have read an exam since the memory was taken. */
export class PredictionMemory {
  readonly #threads: Threads;
  readonly #network: Network;
  readonly #memory: NetworkMemory;
  readonly #networks = new WeakMap<object, NetworkPrograms>();
  /** Models that nobody has disposed of give their memory back, too. */
  readonly #gone = new FinalizationRegistry<NetworkPrograms>((network) =>
    network[Symbol.dispose]()
  );

  #small = 0;

  private constructor(threads: Threads, network: Network) {
    this.#threads = threads;
    this.#network = network;
    this.#memory = new NetworkMemory(threads, false, network);
  }

  /**
   * The memory in use; it is taken if there is none.
   *
   * @throws {EngineError} if the kernels cannot be started
   */
  static async current(network: Network): Promise<PredictionMemory> {
    const started = current.get(network) ?? Threads.start({ threads: 1 })
      .then((threads) => new PredictionMemory(threads, network));
    current.set(network, started);
    try {
      return await started;
    } catch (error) {
      // The next one tries again.
      if (current.get(network) === started) current.delete(network);
      throw error;
    }
  }

  /** Gives back what a model of this network has in the memory in use. */
  static forget(owner: object, network: Network): void {
    current.get(network)?.then((memory) => memory.#forget(owner), () => {});
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

  /**
   * Lets go of all memory if exams took very much of it: it cannot shrink. Reads that are under way end
   * in it. The models' weights are then packed anew in new memory, which takes some 25 ms a model.
   */
  giveBack(): void {
    const { heldBytes, examBytes } = this.#memory;
    const small = heldBytes > MAX_SPARE && examBytes < heldBytes / 2;
    // Not after each: the old memory is held beside the new until it is collected.
    this.#small = small ? this.#small + 1 : 0;
    if (heldBytes > MAX_HELD || this.#small >= SMALL_EXAMS) current.delete(this.#network);
  }

  #forget(owner: object): void {
    const programs = this.#networks.get(owner);
    if (programs === undefined) return;
    this.#networks.delete(owner);
    this.#gone.unregister(programs);
    programs[Symbol.dispose]();
  }
}
