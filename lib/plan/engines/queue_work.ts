/**
 * A worker of a queue: it takes units one after the other and does each in a process of its own. A
 * worker that dies, or is asked to end, fails no unit: another one takes it over.
 */
import { messageOf, OptionError } from "../../errors.ts";
import { checkOptionNames, type OptionNames } from "../../option_names.ts";
import { COME_AGAIN, FAILED, TERMINATED, WRONG_ARGUMENTS } from "../exit_codes.ts";
import { openPlan } from "../plan_file.ts";
import { checkQueueName } from "./bullmq.ts";
import { type BullMQ, loadBullMQ } from "./bullmq_client.ts";
import type { JobQueue, QueueJob, QueueWorker } from "./bullmq_client.ts";
import { parseUnitJob, planFolder, QUEUE, type UnitJob } from "./queue_job.ts";
import { parseRedisAddress, type RedisAddress } from "./redis_address.ts";
import { checkRedis, watchConnection } from "./redis_connection.ts";
import { startUnit, type UnitProcess, type UnitProcessEnd } from "./unit_process.ts";

/** A unit that a worker has taken. */
export interface QueuedUnit {
  /** The folder of its plan. */
  plan: string;
  /** Its number. */
  index: number;
  /** Its name. */
  id: string;
}

/** What became of it. */
export interface QueuedUnitEnd {
  /**
   * - `done`: it is done
   * - `again`: it is saved, or busy elsewhere: it is in the queue again
   * - `failed`: it failed for good
   * - `broken`: its process was killed; it is tried again, a few times
   */
  state: "done" | "again" | "failed" | "broken";
  /** Why it is not done: what its process said last. */
  reason?: string;
}

/** How to work on a queue. */
export interface WorkOptions {
  /** The address of Redis or Valkey: `redis://HOST:PORT`. */
  redis: string;
  /**
   * The name of the queue.
   * @default "mrnet"
   */
  queue?: string;
  /**
   * End when no unit is left: none waits and none is being done.
   * @default false
   */
  untilDone?: boolean;
  /**
   * After so many seconds without a sign of life of a worker its unit is given to another one, 1 to 3600.
   * @default 30
   */
  lock?: number;
  /** Saves the unit at hand, gives it back and ends. */
  signal?: AbortSignal;
  /** Called once the queue is open, with its address without user and password. */
  onStart?: (queue: { name: string; redis: string }) => void;
  /** Called with each unit that begins. */
  onUnit?: (unit: QueuedUnit) => void;
  /** Called with each line that the process of a unit writes. */
  onLine?: (unit: QueuedUnit, line: string) => void;
  /** Called with what became of a unit. */
  onEnd?: (unit: QueuedUnit, end: QueuedUnitEnd) => void;
  /** Called with a remark, such as that Redis is gone for a while. */
  onRemark?: (remark: string) => void;
}

/** The names of the options. */
const OPTION_NAMES: OptionNames<WorkOptions> = {
  redis: true,
  queue: true,
  untilDone: true,
  lock: true,
  signal: true,
  onStart: true,
  onUnit: true,
  onLine: true,
  onEnd: true,
  onRemark: true,
};

/** What a worker did. */
export interface WorkOutcome {
  /** How many units are done, those included that were done before. */
  done: number;
  /** How many failed for good. */
  failed: number;
}

/** The seconds without a sign of life after which a unit is given to another worker. */
export const LOCK_SECONDS = 30;

/**
 * How many workers may die over a unit before it fails. A unit does no harm to its worker, so that many
 * are machines that were taken away.
 */
const MAX_DEATHS = 100;

/** The pause before a unit that is busy elsewhere, or not to be seen here, is tried again. */
const AGAIN_MS = 5000;

/** How often is looked whether units are left, in milliseconds. */
const LOOK_MS = 1000;

/** How long Redis may take to hear that a worker ends, in milliseconds; after that its lock runs out. */
const END_MS = 5000;

/** As in `verbs.ts`, where it is described. */
export async function workOnQueue(options: WorkOptions): Promise<WorkOutcome> {
  checkOptionNames("work on a queue", options, OPTION_NAMES);
  const { redis, queue: name = QUEUE, lock = LOCK_SECONDS, untilDone = false } = options;
  if (redis === undefined) {
    throw new OptionError("Cannot work on a queue without its address: give redis://HOST:PORT");
  }
  if (!(lock >= 1 && lock <= 3600)) {
    throw new OptionError(`Cannot give units away after ${lock} seconds: give 1 to 3600`);
  }
  checkQueueName(name);
  const address = parseRedisAddress(redis);
  const bullmq = await loadBullMQ();
  await checkRedis(bullmq, address);
  options.onStart?.({ name, redis: address.shown });
  const work = new QueueWork(bullmq, { ...options, address, name, lock });
  try {
    await work.ended(untilDone);
  } finally {
    await work.close();
  }
  return work.outcome;
}

/** The work of one worker. */
class QueueWork {
  readonly outcome: WorkOutcome = { done: 0, failed: 0 };
  readonly #bullmq: BullMQ;
  readonly #options: Omit<WorkOptions, "queue">;
  readonly #connection;
  readonly #queue: JobQueue;
  readonly #worker: QueueWorker;
  readonly #broken = Promise.withResolvers<never>();
  #process: UnitProcess | undefined;
  #handled: Promise<void> = Promise.resolve();

  constructor(
    bullmq: BullMQ,
    { address, name, lock, ...options }:
      & Omit<WorkOptions, "queue">
      & { address: RedisAddress; name: string; lock: number },
  ) {
    this.#bullmq = bullmq;
    this.#options = options;
    this.#broken.promise.catch(() => {});
    this.#connection = bullmq.client(address, { retry: true });
    watchConnection(this.#connection, {
      onLost: (reason) =>
        options.onRemark?.(
          `Redis at ${address.shown} is gone (${reason}): goes on with the unit at hand, and waits`,
        ),
      onBack: () => options.onRemark?.(`Redis at ${address.shown} is there again`),
    });
    this.#queue = new bullmq.Queue(name, { connection: this.#connection });
    this.#worker = new bullmq.Worker(name, (job, token) => this.#do(job, token), {
      ...{ connection: this.#connection, concurrency: 1, maxStalledCount: MAX_DEATHS },
      ...{ lockDuration: 1000 * lock, stalledInterval: 500 * lock },
    });
    // A connection that is lost is told above, and a job that another worker has taken over is its own.
    for (const each of [this.#queue, this.#worker]) each.on("error", () => {});
  }

  /** Settles when the signal fires, no unit is left, or no unit can be done here. */
  async ended(untilDone: boolean): Promise<void> {
    const { signal } = this.#options;
    const stopped = new Promise<void>((resolve) => {
      signal?.addEventListener("abort", () => resolve());
      if (signal?.aborted) resolve();
    });
    const ends = [stopped, this.#broken.promise];
    if (untilDone) ends.push(this.#nothingLeft(stopped));
    await Promise.race(ends);
  }

  /** Takes no more units, has the one at hand save its state, and gives it back. */
  async close(): Promise<void> {
    const closed = this.#worker.close();
    closed.catch(() => {});
    this.#process?.stop();
    await this.#handled;
    // Where Redis is gone it cannot be told.
    if (!await _within(END_MS, closed)) this.#worker.close(true).catch(() => {});
    await _within(END_MS, this.#queue.close());
    this.#connection.disconnect();
  }

  async #nothingLeft(stopped: Promise<void>): Promise<void> {
    let isStopped = false;
    stopped.then(() => isStopped = true);
    while (!isStopped) {
      const counts = await this.#queue.getJobCounts("wait", "active", "delayed");
      if (Object.values(counts).every((count) => count === 0)) return;
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
    }
  }

  /** Does a job; what it throws tells BullMQ what becomes of the job. */
  async #do(job: QueueJob, token: string | undefined): Promise<void> {
    const unit = parseUnitJob(job.data);
    if (unit === undefined) {
      this.#options.onRemark?.(`Job ${job.id} is not one of a unit: it has failed`);
      throw new this.#bullmq.UnrecoverableError("this is not a unit");
    }
    const handled = Promise.withResolvers<void>();
    this.#handled = handled.promise;
    let end: QueuedUnitEnd;
    try {
      end = await this.#doUnit(unit);
    } catch (error) {
      // A worker that cannot start units would spoil one after the other.
      end = { state: "again", reason: messageOf(error) };
      this.#broken.reject(error);
    } finally {
      this.#process = undefined;
      handled.resolve();
    }
    this.#options.onEnd?.(_plain(unit), end);
    await this.#settle(job, token, end);
  }

  /** Does a unit in a process, if its plan is here. */
  async #doUnit(unit: UnitJob): Promise<QueuedUnitEnd> {
    const { onUnit, onLine, signal } = this.#options;
    const refused = await _refused(unit);
    if (refused !== undefined) return refused;
    onUnit?.(_plain(unit));
    const { cwd, plan, index } = unit;
    const process = startUnit({ cwd, plan, index, onLine: (line) => onLine?.(_plain(unit), line) });
    this.#process = process;
    if (signal?.aborted) process.stop();
    return _endOf(await process.ended);
  }

  async #settle(
    job: QueueJob,
    token: string | undefined,
    { state, reason = "" }: QueuedUnitEnd,
  ): Promise<void> {
    const { UnrecoverableError, DelayedError, WaitingError } = this.#bullmq;
    switch (state) {
      case "done":
        this.outcome.done++;
        return;
      case "failed":
        this.outcome.failed++;
        throw new UnrecoverableError(reason);
      case "broken":
        throw new Error(reason);
      case "again":
        // Neither costs the unit an attempt.
        if (this.#options.signal?.aborted) {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        await job.moveToDelayed(Date.now() + AGAIN_MS, token);
        throw new DelayedError();
      default:
        state satisfies never;
    }
  }
}

/** Why a unit cannot be done here, if it cannot. */
async function _refused(unit: UnitJob): Promise<QueuedUnitEnd | undefined> {
  const folder = planFolder(unit);
  let sha256: string;
  try {
    sha256 = (await openPlan(folder)).sha256;
  } catch (error) {
    // Another machine may see it.
    return { state: "again", reason: messageOf(error) };
  }
  if (sha256 === unit.sha256) return undefined;
  const reason = `the plan in '${folder}' is not the one that was submitted: submit it again`;
  return { state: "failed", reason };
}

function _endOf({ code, said, error }: UnitProcessEnd): QueuedUnitEnd {
  switch (code) {
    case 0:
      return { state: "done" };
    case COME_AGAIN:
    case TERMINATED:
      return { state: "again", reason: said };
    case FAILED:
    case WRONG_ARGUMENTS:
      return { state: "failed", reason: error };
    default:
      return { state: "broken", reason: `its process ended with code ${code}` };
  }
}

function _plain(unit: UnitJob): QueuedUnit {
  return { plan: planFolder(unit), index: unit.index, id: unit.id };
}

/** Whether a promise settles within some milliseconds. */
async function _within(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), milliseconds);
  const settled = promise.then(() => true, () => true);
  const isSettled = await Promise.race([settled, late.promise]);
  clearTimeout(timer);
  return isSettled;
}
