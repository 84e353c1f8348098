/** The end of a request: it is worth working on while its client waits and its time is not up. */
import { eventLoop } from "./loop.ts";
import { Problem } from "./problem.ts";

/** The end of a request. To be disposed of when it is answered. */
export class Deadline implements Disposable {
  /** Fires when the client has gone or time is up; the reason is then the {@linkcode Problem}. */
  readonly signal: AbortSignal;
  /** When time is up, in milliseconds of `performance.now()`. */
  readonly until: number;
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;
  #uploading = true;

  /**
   * @param client the request's own signal
   * @param milliseconds how long the request may take
   */
  constructor(client: AbortSignal, milliseconds: number) {
    this.signal = this.#controller.signal;
    this.until = performance.now() + milliseconds;
    this.#client = client;
    if (client.aborted) this.#leave();
    else client.addEventListener("abort", this.#leave);
    this.#timer = setTimeout(() => this.#expire(milliseconds), milliseconds);
  }

  /** The body is here: from now on a delay is not the fault of the client. */
  readonly uploaded = (): void => {
    this.#uploading = false;
  };

  /** The work's result, or the signal's reason if that comes first. The work continues in any case. */
  async wait<T>(work: Promise<T>): Promise<T> {
    // If time is up nobody waits for it: without this its failure would end the process.
    work.catch(() => {});
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = () => reject(this.signal.reason);
    this.signal.addEventListener("abort", stop);
    try {
      this.signal.throwIfAborted();
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", stop);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#client.removeEventListener("abort", this.#leave);
  }

  readonly #leave = () => this.#controller.abort(new Problem(503, "The client has gone"));

  async #expire(milliseconds: number): Promise<void> {
    // What the client has sent may lie in the connection, unread while something else was computed.
    if (this.#uploading) await eventLoop.free();
    const seconds = `${milliseconds / 1000} s`;
    this.#controller.abort(
      this.#uploading
        ? new Problem(408, `The body was not complete after ${seconds}: send it again`)
        : new Problem(503, `There was no answer after ${seconds}: try again later`, {
          "retry-after": "10",
        }),
    );
  }
}
