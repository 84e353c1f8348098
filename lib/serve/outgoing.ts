/**
 * Answers on their way out: piece by piece as the client takes them, so that one who takes nothing
 * holds neither much memory nor anything for long.
 *
 * @module
 */
import type { Budget } from "./body.ts";
import { eventLoop } from "./loop.ts";
import { Problem } from "./problem.ts";

/** The most bytes of an answer that are handed to a connection at once; all that it can keep. */
export const PIECE = 256 * 1024;

/** An answer that is made while it is sent. */
export interface OutgoingOptions {
  /** The next bytes; nothing at the end. Larger ones are sent in pieces. */
  next(): Uint8Array | undefined;
  /** What it takes until it is sent. */
  bytes: number;
  /** What all answers on their way share. */
  budget: Budget;
  /** How long a client may take for a piece, in milliseconds. */
  deadline: number;
  /** Told once when it is sent, or given up. */
  free?: () => void;
}

/**
 * The body of an answer.
 *
 * @throws {Problem} 503 if too much waits to be sent already; `free` is then told too
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
      // A copy where there is more: a connection that is given up would keep the whole.
      const piece = rest.length <= PIECE ? rest : rest.slice(0, PIECE);
      rest = rest.subarray(piece.length);
      controller.enqueue(piece);
      watch(controller);
    },
    cancel: end,
  }, { highWaterMark: 0 });
}
