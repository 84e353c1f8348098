/**
 * BullMQ and the client of Redis that it speaks through, imported here and nowhere else, when a queue is
 * first used. Their names are none that Deno finds before it runs, and a lock file of their own holds them:
 * who uses no queue downloads neither.
 */
import { messageOf, PermissionError, SubmitError } from "../../errors.ts";
import { QUEUE_LOCK } from "../../invocation.ts";
import type { RedisAddress } from "./redis_address.ts";

const BULLMQ = "npm:bullmq@6.7.0";
const IOREDIS = "npm:ioredis@5.11.1";

/** As much of a connection as is used. `tests/plan/engines/bullmq_client_test.ts` compares these types. */
export interface RedisClient {
  connect(): Promise<void>;
  ping(): Promise<string>;
  disconnect(): void;
  on(event: "ready" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** As much of a job as is used. */
export interface QueueJob {
  id?: string;
  data: unknown;
  getState(): Promise<string>;
  remove(): Promise<void>;
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
  moveToWait(token?: string): Promise<number>;
}

/** A job that is to be added. */
export interface NewJob {
  name: string;
  data: unknown;
  opts: {
    jobId: string;
    attempts: number;
    backoff: { type: string; delay: number };
    removeOnComplete: { age: number };
  };
}

/** As much of a queue as is used. */
export interface JobQueue {
  getJob(id: string): Promise<QueueJob | undefined>;
  addBulk(jobs: NewJob[]): Promise<unknown>;
  getJobCounts(...states: CountedState[]): Promise<Record<string, number>>;
  on(event: "error", listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** The states of jobs that are neither done nor failed. */
export type CountedState = "wait" | "active" | "delayed";

/** As much of a worker as is used. */
export interface QueueWorker {
  on(event: "error", listener: (error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

/** How a worker works. */
export interface QueueWorkerOptions {
  connection: RedisClient;
  concurrency: number;
  lockDuration: number;
  stalledInterval: number;
  maxStalledCount: number;
}

/** As much of BullMQ as is used. */
interface BullMQModule {
  Queue: new (name: string, options: { connection: RedisClient }) => JobQueue;
  Worker: new (
    name: string,
    processor: (job: QueueJob, token?: string) => Promise<unknown>,
    options: QueueWorkerOptions,
  ) => QueueWorker;
  UnrecoverableError: new (message: string) => Error;
  DelayedError: new () => Error;
  WaitingError: new () => Error;
}

/** BullMQ with a way to Redis. */
export interface BullMQ extends BullMQModule {
  /** Makes a connection, which `connect` opens. */
  client(address: RedisAddress, options: { retry: boolean }): RedisClient;
}

/** How long a machine may take to answer at first, in milliseconds. */
const CONNECT_MS = 10_000;

/** The pauses before connecting again, in milliseconds. */
const RETRY_MS = { first: 100, longest: 5000 };

/** The options of the client that are used. */
interface ClientOptions {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls?: Record<never, never>;
  lazyConnect: boolean;
  connectTimeout: number;
  maxRetriesPerRequest: null;
  retryStrategy: (times: number) => number | null;
}

/**
 * Loads BullMQ.
 *
 * @throws {PermissionError} if Deno may not read the environment, which its packages do when loaded
 * @throws {SubmitError} if it cannot be had
 */
export async function loadBullMQ(): Promise<BullMQ> {
  try {
    // It would load a native add-on where Deno allows that; nothing here is so large.
    Deno.env.set("MSGPACKR_NATIVE_ACCELERATION_DISABLED", "true");
    const { Redis }: { Redis: new (options: ClientOptions) => RedisClient } = await import(IOREDIS);
    const { Queue, Worker, UnrecoverableError, DelayedError, WaitingError }: BullMQModule =
      await import(BULLMQ);
    return {
      ...{ Queue, Worker, UnrecoverableError, DelayedError, WaitingError },
      client: ({ shown: _, tls, ...address }, { retry }) =>
        new Redis({
          ...address,
          ...(tls && { tls: {} }),
          ...{ lazyConnect: true, connectTimeout: CONNECT_MS, maxRetriesPerRequest: null },
          retryStrategy: (times) =>
            retry ? Math.min(times * RETRY_MS.first, RETRY_MS.longest) : null,
        }),
    };
  } catch (error) {
    throw _refusal(error);
  }
}

function _refusal(error: unknown): Error {
  if (error instanceof Deno.errors.NotCapable || /Requires env access/.test(messageOf(error))) {
    return new PermissionError(
      "Cannot load BullMQ: Deno has no permission for the environment, which its packages read: " +
        "run again with --allow-env",
    );
  }
  if (/lockfile is out of date/.test(messageOf(error))) {
    return new SubmitError(
      "Cannot load BullMQ: it is not in the lock file, so that only those download it who use a " +
        `queue: run again with --lock=${_lockFile()}, behind 'deno run'`,
    );
  }
  return new SubmitError(
    `Cannot load BullMQ: ${messageOf(error)}: make its packages available to this machine`,
  );
}

/** The lock file that holds BullMQ, as this toolkit has it. */
function _lockFile(): string {
  const url = new URL(`../../../${QUEUE_LOCK}`, import.meta.url);
  return url.protocol === "file:" ? decodeURIComponent(url.pathname) : QUEUE_LOCK;
}
