/**
 * Reads the bytes of a pickle one after the other, out of a source of any size: a pickle does not
 * say how long it is, and what follows it may be large.
 */
import type { Source } from "../source.ts";

/** Bytes that are read at once. */
const WINDOW = 64 * 1024;

/** A position in a source that moves forward. */
export class PickleReader {
  private window = new Uint8Array(0);
  private view = new DataView(this.window.buffer);
  private windowStart = 0;

  /**
   * Starts reading.
   *
   * @param source where the bytes are
   * @param position the first byte
   * @param end the byte after the last that may be read
   */
  constructor(readonly source: Source, public position: number, readonly end: number) {}

  /** The bytes that are left. */
  get remaining(): number {
    return this.end - this.position;
  }

  /** The next bytes of the pickle; they are valid until the next call. */
  bytes(length: number): Uint8Array {
    const at = this._take(length);
    return this.window.subarray(at, at + length);
  }

  /** An unsigned byte. */
  uint8(): number {
    const at = this._take(1); // first: it may move the window
    return this.window[at];
  }

  /** An unsigned little-endian number of two bytes. */
  uint16(): number {
    const at = this._take(2);
    return this.view.getUint16(at, true);
  }

  /** A signed little-endian number of four bytes. */
  int32(): number {
    const at = this._take(4);
    return this.view.getInt32(at, true);
  }

  /** An unsigned little-endian number of four bytes. */
  uint32(): number {
    const at = this._take(4);
    return this.view.getUint32(at, true);
  }

  /** An unsigned little-endian number of eight bytes; imprecise beyond 2^53, which no true size reaches. */
  uint64(): number {
    const at = this._take(8);
    return Number(this.view.getBigUint64(at, true));
  }

  /** A big-endian double. */
  float64(): number {
    const at = this._take(8);
    return this.view.getFloat64(at, false);
  }

  /** Text up to the next line feed, which is skipped. */
  line(): string {
    const codes: number[] = [];
    for (let code = this.uint8(); code !== 0x0a; code = this.uint8()) {
      if (codes.length >= 1000) throw this._short("a name in its pickle does not end");
      codes.push(code);
    }
    return new TextDecoder().decode(new Uint8Array(codes));
  }

  /** Moves past the next bytes and gives their index in the window. */
  private _take(length: number): number {
    if (length > this.remaining) throw this._short("its pickle breaks off");
    const at = this.position - this.windowStart;
    if (at + length > this.window.length) {
      // Only as much as the file has, so a false length costs no memory.
      this.window = this.source.read(
        this.position,
        Math.min(Math.max(length, WINDOW), this.remaining),
      );
      this.view = new DataView(this.window.buffer);
      this.windowStart = this.position;
    }
    this.position += length;
    return this.position - length - this.windowStart;
  }

  /** The error for a pickle that ends too early. */
  private _short(found: string): Error {
    const hint = "it is cut short or damaged, copy or download it again";
    return this.source.failure(found, hint);
  }
}
