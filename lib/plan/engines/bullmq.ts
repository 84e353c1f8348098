/** BullMQ on Redis or Valkey: each unit a job, which workers (`cli.ts work`) take from the queue. */
import { OptionError } from "../../errors.ts";
import { queueCommandLine } from "../../invocation.ts";
import { type BullMQ, type JobQueue, loadBullMQ, type NewJob } from "./bullmq_client.ts";
import type { Submission, SubmitEngine, SubmitRequest } from "./engine.ts";
import { jobPrefix, QUEUE, type UnitJob } from "./queue_job.ts";
import { rangesOf } from "./ranges.ts";
import { parseRedisAddress, type RedisAddress } from "./redis_address.ts";
import { checkRedis } from "./redis_connection.ts";

/**
 * How often a unit is tried that neither is done, nor failed for good, nor says that it wants to come
 * again: its process was killed.
 */
const ATTEMPTS = 5;

/** The pause before it is tried again, in milliseconds. */
const BACKOFF_MS = 5000;

/** How long the queue keeps jobs that are done, in seconds: 30 days. The plan's folder keeps the results. */
const KEPT_SECONDS = 30 * 24 * 3600;

/** How many jobs are asked about or added at once. */
const AT_ONCE = 500;

/** BullMQ. */
export const bullmq: SubmitEngine = {
  title: "BullMQ",
  takes: ["redis", "queue"],
  async submit({ folder, sha256, open, options }: SubmitRequest): Promise<Submission> {
    const { print = false, redis, queue: name = QUEUE } = options;
    if (print) {
      throw new OptionError(
        "Cannot only print what BullMQ is given: units are handed over through Redis: leave print out",
      );
    }
    if (redis === undefined) {
      throw new OptionError(
        "Cannot submit a plan to BullMQ without the address of its Redis: give redis://HOST:PORT",
      );
    }
    const address = parseRedisAddress(redis);
    checkQueueName(name);
    const prefix = await jobPrefix(folder, sha256);
    const cwd = Deno.cwd();
    const units = open.map(({ index, id }): [string, UnitJob] => [
      `${prefix}-${id}`,
      { plan: folder, cwd, sha256, index, id },
    ]);
    const { added, there } = await _withQueue(
      { address, name },
      (queue) => _addMissing(queue, units),
    );
    return {
      ...{ files: [], commands: [], submitted: added, queued: there },
      jobs: added.length === 0
        ? []
        : [`queue ${name} at ${address.shown}: units ${rangesOf(added)}`],
      next: [_workCommand(address, name)],
    };
  },
};

/**
 * Refuses what cannot be the name of a queue.
 *
 * @throws {OptionError}
 */
export function checkQueueName(name: string): void {
  if (/^[\w.-]{1,100}$/.test(name)) return;
  throw new OptionError(
    "Cannot use a queue of that name: give one of letters, digits, '.', '_' and '-'",
  );
}

/** What a worker is started with; user and password are left to be filled in. */
function _workCommand({ shown, username, password }: RedisAddress, name: string): string {
  const isSecret = username !== undefined || password !== undefined;
  const address = isSecret ? shown.replace("//", "//USER:PASSWORD@") : shown;
  return queueCommandLine("work", "--redis", address, ...(name === QUEUE ? [] : ["--queue", name]));
}

/** Opens a queue for a while. */
async function _withQueue<T>(
  { address, name }: { address: RedisAddress; name: string },
  use: (queue: JobQueue) => Promise<T>,
): Promise<T> {
  const bullmq: BullMQ = await loadBullMQ();
  await checkRedis(bullmq, address);
  const connection = bullmq.client(address, { retry: true });
  const queue = new bullmq.Queue(name, { connection });
  // What fails is said by the promises too.
  queue.on("error", () => {});
  try {
    return await use(queue);
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

/**
 * Adds the jobs that are not in the queue. One that failed, or is done there though its unit is not,
 * is put in anew.
 */
async function _addMissing(
  queue: JobQueue,
  units: readonly [id: string, unit: UnitJob][],
): Promise<{ added: number[]; there: number[] }> {
  const [added, there]: number[][] = [[], []];
  for (let first = 0; first < units.length; first += AT_ONCE) {
    const chunk = units.slice(first, first + AT_ONCE);
    const missing = await Promise.all(chunk.map(async ([id, { index }]) => {
      const job = await queue.getJob(id);
      const ended = job && ["failed", "completed"].includes(await job.getState());
      if (ended) await job.remove();
      const isMissing = job === undefined || ended === true;
      (isMissing ? added : there).push(index);
      return isMissing;
    }));
    await queue.addBulk(chunk.filter((_, at) => missing[at]).map(_newJob));
  }
  const rising = (a: number, b: number) => a - b;
  return { added: added.sort(rising), there: there.sort(rising) };
}

function _newJob([jobId, unit]: [string, UnitJob]): NewJob {
  return {
    name: "unit",
    data: unit,
    opts: {
      jobId,
      attempts: ATTEMPTS,
      backoff: { type: "fixed", delay: BACKOFF_MS },
      removeOnComplete: { age: KEPT_SECONDS },
    },
  };
}
