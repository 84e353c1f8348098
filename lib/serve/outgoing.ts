/**
 * Answers that are being sent: chunk by chunk as the client reads them, so that a client that reads
 * nothing holds little memory, and not for long.
 */
import type { Budget } from "./body.ts";
import { eventLoop } from "./loop.ts";
import { Problem } from "./problem.ts";

/** The most bytes of an answer that a connection gets at once, and can keep. */
export const CHUNK_BYTES = 256 * 1024;

/** An answer that is made while it is sent. */
export interface OutgoingOptions {
  /** The next bytes; nothing at the end. Larger ones are sent in chunks. */
  next(): Uint8Array | undefined;
  /** What it takes until it is sent. */
  bytes: number;
  /** What all answers that are being sent share. */
  budget: Budget;
  /** How long a client may take for a chunk, in milliseconds. */
  deadline: number;
  /** Called once when the answer is sent or aborted. */
  free?: () => void;
}

/**
 * The body of an answer.
 *
 * @throws {Problem} 503 if too much waits to be sent already; `free` is called then too
 */
export function outgoing(options: OutgoingOptions): ReadableStream<Uint8Array> {
  const { budget, bytes, deadline, next } = options;
  if (!budget.take(bytes)) {
    options.free?.();
    throw new Problem(503, "Too many answers wait for clients that do not read them: try later", {
      "retry-after": "5",
    });
  }
  let [ended, pulls] = [false, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let rest: Uint8Array = new Uint8Array();
  const end = () => {
    clearTimeout(timer);
    rest = new Uint8Array();
    if (ended) return;
    ended = true;
    budget.give(bytes);
    options.free?.();
  };
  const watch = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const before = pulls;
    timer = setTimeout(async () => {
      // The client may have taken it while something else was computed.
      await eventLoop.free();
      if (ended || pulls !== before) return;
      end();
      controller.error(new Problem(408, "The answer was not read"));
    }, deadline);
  };
  return new ReadableStream({
    start: watch,
    pull(controller) {
      eventLoop.step();
      clearTimeout(timer);
      pulls++;
      if (rest.length === 0) rest = next() ?? rest;
      if (rest.length === 0) {
        end();
        return controller.close();
      }
      // A copy if there is more: an aborted connection would keep the whole answer in memory.
      const chunk = rest.length <= CHUNK_BYTES ? rest : rest.slice(0, CHUNK_BYTES);
      rest = rest.subarray(chunk.length);
      controller.enqueue(chunk);
      watch(controller);
    },
    cancel: end,
  }, { highWaterMark: 0 });
}
