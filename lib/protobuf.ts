/**
 * Writes Protocol Buffers messages: the few kinds of fields that an ONNX model and TensorBoard's
 * events need.
 *
 * The encoding is described at https://protobuf.dev/programming-guides/encoding/.
 */
import { concat } from "./bytes.ts";

const UTF8 = new TextEncoder();

/** The wire types, which say how long a field is. */
const VARINT = 0;
const BITS_64 = 1;
const LENGTH_DELIMITED = 2;
const BITS_32 = 5;

/**
 * A message under construction; the order of the calls is the order of its fields.
 */
export class Message {
  readonly #chunks: ArrayLike<number>[] = [];
  #length = 0;

  /** A whole number in ±(2^53 − 1), as an `int64`; also an enumeration. */
  integer(field: number, value: number): this {
    return this.#push(_key(field, VARINT), _varint(value));
  }

  /** A number in double precision. */
  double(field: number, value: number): this {
    return this.#push(_key(field, BITS_64), new Uint8Array(Float64Array.of(value).buffer));
  }

  /** A number in single precision. */
  float(field: number, value: number): this {
    return this.#push(_key(field, BITS_32), new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Text, as UTF-8. */
  text(field: number, value: string): this {
    return this.bytes(field, UTF8.encode(value));
  }

  /** Bytes as they are; they are copied by {@linkcode Message.encode}. */
  bytes(field: number, value: Uint8Array): this {
    return this.#push(_key(field, LENGTH_DELIMITED), _varint(value.length), value);
  }

  /** A message within the message. */
  message(field: number, value: Message): this {
    return this.#push(_key(field, LENGTH_DELIMITED), _varint(value.#length), ...value.#chunks);
  }

  /** The bytes of the message. */
  encode(): Uint8Array<ArrayBuffer> {
    return concat(this.#chunks);
  }

  /** Appends chunks that belong together. */
  #push(...chunks: ArrayLike<number>[]): this {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    }
    return this;
  }
}

/** A field begins with its number and its wire type. */
function _key(field: number, wireType: number): number[] {
  return _varint(field * 8 + wireType);
}

/** Seven bits a byte, low bits first; the top bit says that more follow. */
function _varint(value: number): number[] {
  const bytes: number[] = [];
  if (value < 0) {
    // The two's complement of 64 bits.
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  } else {
    for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
    bytes.push(value);
  }
  return bytes;
}
