/**
 * Decoders of compressed frames, in a worker of their own with a deadline: damaged bytes make some
 * of them run for ever.
 */
import { messageOf } from "../../errors.ts";
import type { CompressedCoding, DecodedFrame } from "./codec_worker.js";
import workerText from "./codec_worker.js" with { type: "text" };

export type { CompressedCoding, DecodedFrame };

/** How long a decoder may take to be loaded, whatever the frame is like, in milliseconds. */
const START_MS = 20_000;
/**
 * How long a frame may take: so long, and so long for each megapixel. 24 slices take 1 s in all, the
 * first of them 3 s where other programs use all processors.
 */
const FRAME_MS = 10_000;
const MEGAPIXEL_MS = 8_000;

/** What the worker says. */
interface Answer {
  id: number;
  /** The decoder is loaded, and the frame's time begins. */
  loaded?: true;
  frame?: DecodedFrame;
  failure?: string;
}

/** Decodes frames, one at a time. To be disposed of. */
export class FrameDecoder implements Disposable {
  #worker: Worker | undefined;
  #last = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #frameMs: number;

  /**
   * @param signal ends what is being decoded
   * @param frameMs how long a frame may take, besides its size, in milliseconds
   */
  constructor(signal?: AbortSignal, frameMs = FRAME_MS) {
    this.#signal = signal;
    this.#frameMs = frameMs;
  }

  /**
   * Decodes a frame.
   *
   * @param pixels how many pixels it should have, which says how long it may take
   * @throws {Error} if it cannot be decoded, or not in time; the message says what was found
   * @throws the signal's reason if that fires
   */
  async decode(
    coding: CompressedCoding,
    bytes: Uint8Array<ArrayBuffer>,
    pixels: number,
  ): Promise<DecodedFrame> {
    if (typeof Worker === "undefined") {
      // A runtime without workers has no way to end a decoder that does not end by itself.
      const { decodeFrame } = await import("./codec_worker.js");
      return await decodeFrame(coding, bytes);
    }
    const limit = this.#frameMs + MEGAPIXEL_MS * pixels / 2 ** 20;
    const { frame, failure } = await this.#ask({ coding, bytes, pixels }, limit);
    if (frame === undefined) throw new Error(failure ?? "the decoder gave nothing");
    return frame;
  }

  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  async #ask(
    frame: { coding: CompressedCoding; bytes: Uint8Array<ArrayBuffer>; pixels: number },
    limit: number,
  ): Promise<Answer> {
    this.#signal?.throwIfAborted();
    const worker = this.#worker ??= _startWorker();
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const expire = (what: string, milliseconds: number) =>
      setTimeout(
        () => reject(new Error(`${what} within ${Math.round(milliseconds / 1000)} s`)),
        milliseconds,
      );
    let timer = expire("the decoder was not loaded", START_MS);
    const stop = () => reject(this.#signal!.reason);
    this.#signal?.addEventListener("abort", stop);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.id !== id) return;
      if (!data.loaded) return resolve(data);
      clearTimeout(timer);
      timer = expire("the decoder did not end", limit);
    };
    worker.onerror = (event) => {
      // Otherwise the fault of the worker is one of this thread's.
      event.preventDefault();
      reject(new Error(messageOf(event.message)));
    };
    try {
      worker.postMessage({ id, ...frame });
      return await promise;
    } catch (error) {
      // What did not end, or broke, is not asked again.
      this[Symbol.dispose]();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#signal?.removeEventListener("abort", stop);
    }
  }
}

/** A worker from text needs no permission; one from a file would need to read it. */
function _startWorker(): Worker {
  const url = `data:text/javascript,${encodeURIComponent(workerText)}`;
  return new Worker(url, { type: "module" });
}
