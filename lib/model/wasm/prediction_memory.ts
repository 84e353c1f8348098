/**
 * The memory in which all models of this process read exams on the WebAssembly engine. A model takes some
 * 50 MB for its weights; the memory for an exam is shared.
 */
import { Threads } from "../../engine/wasm/threads.ts";
import { WasmNetwork } from "./network.ts";
import { NetworkMemory } from "./network_memory.ts";

/** What exams may hold after the last one, in bytes: a slice of 1024×1024 takes 50 MB. */
const MAX_HELD = 64 * 1024 * 1024;

/** After so many small exams in a row, the memory that larger ones took is given back. */
const SMALL_EXAMS = 12;

/** Memory up to this is kept whatever exams need, in bytes: a slice of 512×512 takes 16 MB. */
const MAX_SPARE = 24 * 1024 * 1024;

/** A model's network in this memory. */
interface OwnNetwork {
  network: WasmNetwork;
  /** The parameters' values that it has: TensorFlow.js gives new values a new identity. */
  known: object[];
}

let current: Promise<PredictionMemory> | undefined;

/** The networks of all models that have read an exam since the memory was taken. */
export class PredictionMemory {
  readonly #threads: Threads;
  readonly #memory: NetworkMemory;
  readonly #networks = new WeakMap<object, OwnNetwork>();
  /** Models that nobody has disposed of give their memory back, too. */
  readonly #gone = new FinalizationRegistry<WasmNetwork>((network) => network[Symbol.dispose]());

  #small = 0;

  private constructor(threads: Threads) {
    this.#threads = threads;
    this.#memory = new NetworkMemory(threads, false);
  }

  /**
   * The memory in use; it is taken if there is none.
   *
   * @throws {EngineError} if the kernels cannot be started
   */
  static async current(): Promise<PredictionMemory> {
    const started = current ??= Threads.start({ threads: 1 })
      .then((threads) => new PredictionMemory(threads));
    try {
      return await started;
    } catch (error) {
      // The next one tries again.
      if (current === started) current = undefined;
      throw error;
    }
  }

  /** Gives back what a model has in the memory in use. */
  static forget(owner: object): void {
    current?.then((memory) => memory.#forget(owner), () => {});
  }

  /**
   * A model's network.
   *
   * @throws {EngineError} if there is no memory for it
   */
  networkOf(owner: object): OwnNetwork {
    let own = this.#networks.get(owner);
    if (own === undefined) {
      own = { network: new WasmNetwork(this.#threads, this.#memory), known: [] };
      this.#networks.set(owner, own);
      this.#gone.register(owner, own.network, own);
    }
    return own;
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
    if (heldBytes > MAX_HELD || this.#small >= SMALL_EXAMS) current = undefined;
  }

  #forget(owner: object): void {
    const own = this.#networks.get(owner);
    if (own === undefined) return;
    this.#networks.delete(owner);
    this.#gone.unregister(own);
    own.network[Symbol.dispose]();
  }
}
