/**
 * A server that keeps listening. If connections cannot be accepted, most often for lack of file
 * descriptors, Deno closes its listener; this one then opens another.
 */
import { messageOf } from "../errors.ts";

/** Pauses before listening again, in milliseconds; doubled after each failure. */
const PAUSES = { first: 25, longest: 200 };

/** The least time between two remarks about the same trouble, in milliseconds. */
const SAID_EVERY = 60_000;

/** How long to wait for incoming bodies, in milliseconds: closing would break them off. */
const BODY_GRACE = 5000;

/** The options of a listener. */
export interface ListenerOptions {
  hostname: string;
  /** 0 takes a free one, and keeps it. */
  port: number;
  /** Called with the reason to listen again, at most once a minute. */
  onTrouble(message: string): void;
}

/** A server until it is shut down. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #port: number;
  #server: Deno.HttpServer<Deno.NetAddr>;
  /** Servers that take no more connections. */
  readonly #closing = new Set<Promise<void>>();
  #again: ReturnType<typeof setTimeout> | undefined;
  #pause = PAUSES.first;
  #said = -Infinity;
  #stopped = false;

  /** @throws what `Deno.serve` does if it cannot listen at first */
  constructor(options: ListenerOptions, handler: (request: Request) => Promise<Response>) {
    this.#options = options;
    this.#handler = handler;
    this.#server = this.#listen(options.port);
    this.#port = this.#server.addr.port;
  }

  /** The port that is listened on. */
  get port(): number {
    return this.#port;
  }

  /** Accepts no more connections, and waits until all answers are sent. */
  async shutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    await Promise.all([this.#server.shutdown().catch(() => {}), ...this.#closing]);
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { hostname } = this.#options;
    const start = performance.now();
    /** Answers to requests whose bodies may still be coming in. */
    const bodies = new Set<Promise<Response>>();
    const server = Deno.serve({ hostname, port, onListen() {} }, (request) => {
      // It listens again, or nobody would ask.
      this.#pause = PAUSES.first;
      const answer = this.#handler(request);
      if (request.body === null) return answer;
      bodies.add(answer);
      return answer.finally(() => bodies.delete(answer));
    });
    server.finished.catch((error) => {
      // Closes connections without a complete request, to make room. Connections with an answer under
      // way stay until it is sent.
      const closing = _within(BODY_GRACE, Promise.allSettled(bodies))
        .then(() => server.shutdown()).catch(() => {})
        .finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
      if (performance.now() - start < PAUSES.longest) this.#lengthen();
      this.#listenAgain(error);
    });
    return server;
  }

  #lengthen(): void {
    this.#pause = Math.min(2 * this.#pause, PAUSES.longest);
  }

  #listenAgain(error: unknown): void {
    if (this.#stopped) return;
    const now = performance.now();
    if (now - this.#said >= SAID_EVERY) {
      this.#said = now;
      this.#options.onTrouble(
        `No more connections can be taken (${messageOf(error)}): idle ones were closed, and it ` +
          "listens again; a higher limit of open files (ulimit -n) takes more at once",
      );
    }
    this.#again = setTimeout(() => {
      try {
        this.#server = this.#listen(this.#port);
      } catch (error) {
        this.#lengthen();
        this.#listenAgain(error);
      }
    }, this.#pause);
  }
}

/** Waits for a promise, but no longer than some milliseconds. */
async function _within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
