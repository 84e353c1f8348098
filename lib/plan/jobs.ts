/** Doing units side by side: each in a worker of its own, with an engine of its own. */
import { messageOf, OptionError, PermissionError } from "../errors.ts";
import { errorFrom, hookArguments } from "./job_messages.ts";
import type { Called, JobReply, JobRequest } from "./job_messages.ts";
import { type ChunkOfPlan, scoreUnit } from "./score_unit.ts";
import type { DoneModel } from "./done_model.ts";
import { trainUnit, type UnitHooks, type UnitTraining } from "./train_unit.ts";
import type { DoneChunk, UnitResult } from "./unit_file.ts";

/** What computes units: this thread, or a worker. */
export interface UnitComputer {
  /** Trains and evaluates; nothing if the signal ended it. */
  train(training: UnitTraining, hooks: UnitHooks): Promise<DoneModel | undefined>;
  /** Scores a chunk; nothing if the signal ended it. */
  score(chunk: ChunkOfPlan, hooks: UnitHooks): Promise<DoneChunk | undefined>;
}

/** This thread. */
export const THIS_THREAD: UnitComputer = {
  train: trainUnit,
  score: scoreUnit,
};

/** What a unit may take in memory, in bytes; a training on exams of 61 slices takes about half of it. */
const UNIT_BYTES = 2 ** 30;

/** How many units can be done side by side, and why not more. */
export interface JobLimit {
  /** How many. */
  jobs: number;
  /** Why these are fewer than were asked for. */
  reason?: string;
}

/**
 * How many of the units that are asked for fit the machine at once: their threads the processor's cores,
 * and a gigabyte each the free memory, if Deno may ask for that.
 *
 * @param asked how many, at least 1
 * @param threads what each computes on
 * @throws {OptionError} if it is no such number
 */
export function limitJobs(asked: number, threads: number): JobLimit {
  if (!(Number.isSafeInteger(asked) && asked >= 1)) {
    throw new OptionError(
      `Cannot do ${asked} units side by side: give a whole number of at least 1`,
    );
  }
  const cores = navigator.hardwareConcurrency;
  const byThreads = Math.max(1, Math.floor(cores / threads));
  const byMemory = Math.max(1, Math.floor(_freeMemory() / UNIT_BYTES));
  const jobs = Math.min(asked, byThreads, byMemory);
  if (jobs === asked) return { jobs };
  const reason = jobs === byThreads
    ? `each takes ${threads} of ${cores} threads`
    : "each may take a gigabyte of memory";
  return { jobs, reason };
}

/** The threads of each of so many units where nothing is said: they share the processor. */
export function threadsOfJobs(jobs: number): number {
  return Math.max(1, Math.floor(Math.min(navigator.hardwareConcurrency, 16) / jobs));
}

function _freeMemory(): number {
  const asked = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return Infinity;
  return Deno.systemMemoryInfo().available;
}

/** A worker that computes units, one at a time; it ends when it is disposed of. */
export class WorkerComputer implements UnitComputer, Disposable {
  readonly #worker: Worker;

  /** @throws {PermissionError} if Deno may not read the toolkit's own files */
  constructor() {
    const url = new URL("./job_worker.ts", import.meta.url);
    const folder = decodeURIComponent(new URL("../../", url).pathname);
    if (
      url.protocol === "file:" &&
      Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted"
    ) {
      throw new PermissionError(
        "Cannot do units side by side: a worker must read the toolkit: run again with " +
          `--allow-read=${folder}, beside what the command needs`,
      );
    }
    this.#worker = new Worker(url, { type: "module" });
  }

  /** Trains and evaluates in the worker. */
  async train(training: UnitTraining, hooks: UnitHooks): Promise<DoneModel | undefined> {
    return await this.#do({ do: "train", training }, hooks) as DoneModel | undefined;
  }

  /** Scores in the worker. */
  async score(chunk: ChunkOfPlan, hooks: UnitHooks): Promise<DoneChunk | undefined> {
    return await this.#do({ do: "score", chunk }, hooks) as DoneChunk | undefined;
  }

  /** Ends the worker at once. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  async #do(request: JobRequest, { signal, ...hooks }: UnitHooks): Promise<UnitResult | undefined> {
    const stop = () => this.#post({ do: "stop" });
    const noted: unknown[] = [];
    try {
      const result = await new Promise<UnitResult | undefined>((resolve, reject) => {
        this.#worker.onmessage = ({ data }: MessageEvent<JobReply>) => {
          if (data.said === "done") resolve(data.result);
          else if (data.said === "error") reject(errorFrom(data));
          else noted.push(_call(hooks, data.said, data.given));
        };
        this.#worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`a worker failed: ${messageOf(event.message)}`));
        };
        this.#post(request);
        signal?.addEventListener("abort", stop);
        if (signal?.aborted) stop();
      });
      await Promise.all(noted);
      return result;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #post(request: JobRequest): void {
    this.#worker.postMessage(request);
  }
}

/** Calls a hook, if there is one; a promise that it gives fails where it is awaited. */
function _call(hooks: UnitHooks, said: Called, given: unknown[]): unknown {
  const hook = hooks[said] as ((...given: unknown[]) => unknown) | undefined;
  const noted = hook?.(...hookArguments(said, given));
  if (noted instanceof Promise) noted.catch(() => {});
  return noted;
}

/**
 * Runs something for each item, so many at a time, each lane with a computer of its own. One lane computes
 * in this thread.
 *
 * @param run returns false to end its lane and all others after their present items
 */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  run: (item: T, computer: UnitComputer) => Promise<boolean>,
): Promise<void> {
  let next = 0;
  let ended = false;
  const follow = async (computer: UnitComputer) => {
    while (next < items.length && !ended) {
      const item = items[next++];
      if (!await run(item, computer)) ended = true;
    }
  };
  if (lanes === 1) return await follow(THIS_THREAD);
  const workers = Array.from({ length: Math.min(lanes, items.length) }, () => new WorkerComputer());
  try {
    const followed = workers.map((worker) =>
      follow(worker).catch((error) => {
        ended = true;
        throw error;
      })
    );
    // All come to their ends, so that states are saved, before a failure is passed on.
    const outcomes = await Promise.allSettled(followed);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  } finally {
    for (const worker of workers) worker[Symbol.dispose]();
  }
}
