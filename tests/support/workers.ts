/**
 * The workers of this process: counted, and ended from outside as the system might.
 *
 * Importing this file puts a counting class instead of `Worker`.
 */

const live = new Set<Worker>();

class CountedWorker extends globalThis.Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    live.add(this);
  }

  override terminate(): void {
    live.delete(this);
    super.terminate();
  }
}
globalThis.Worker = CountedWorker;

/** How many workers there are that nobody has ended. */
export function liveWorkers(): number {
  return live.size;
}

/** Ends a worker without a word, as where the system takes its thread away. */
export function killWorker(): void {
  const [worker] = live;
  // As it is: for the count it is still to be ended by whoever made it.
  Object.getPrototypeOf(CountedWorker.prototype).terminate.call(worker);
}

/** Makes a worker fail: what it is sent is no setup and no program. */
export function breakWorker(): void {
  const [worker] = live;
  worker.postMessage({ module: "none" });
}
