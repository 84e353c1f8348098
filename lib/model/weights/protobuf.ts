/**
 * Writes Protocol Buffers messages: the few kinds of fields that an ONNX model needs.
 *
 * The encoding is described at https://protobuf.dev/programming-guides/encoding/.
 *
 * @module
 */

/** A message under construction; the order of the calls is the order of its fields. */
export class Message {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  /** A whole number, zero or greater; also an enumeration. */
  integer(field: number, value: number): this {
    return this._push(varint(field * 8), varint(value));
  }

  /** Text, as UTF-8. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Bytes as they are. */
  bytes(field: number, value: Uint8Array): this {
    return this._push(varint(field * 8 + 2), varint(value.length), value);
  }

  /** A message within the message. */
  message(field: number, value: Message): this {
    return this._push(varint(field * 8 + 2), varint(value.length), ...value.parts);
  }

  /** The whole message. */
  encode(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Appends bytes that belong together. */
  private _push(...parts: Uint8Array[]): this {
    for (const part of parts) {
      this.parts.push(part);
      this.length += part.length;
    }
    return this;
  }
}

/** Seven bits a byte, low bits first; the top bit says that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  bytes.push(value);
  return new Uint8Array(bytes);
}
