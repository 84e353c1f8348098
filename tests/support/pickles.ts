/**
 * Volumes for tests as NumPy pickles them.
 */
import { concat } from "../../lib/bytes.ts";

/** A pickle of protocol 3 that holds an array of uint16, byte by byte as NumPy 1 writes it. */
export function pickledVolume(values: Uint16Array<ArrayBuffer>, shape: number[]): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const long = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  const unicode = (value: string) => [text("X"), long(value.length), text(value)];
  const minusOne = [text("J"), long(0xffffffff)];
  return concat([
    [0x80, 3],
    text("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK"),
    [0, 0x85, 0x43, 1, 0x62, 0x87],
    text("R(K"),
    [1],
    ...shape.flatMap((size) => [text("J"), long(size)]),
    [0x87],
    text("cnumpy\ndtype\n"),
    ...unicode("u2"),
    [0x89, 0x88, 0x87],
    text("R(K"),
    [3],
    ...unicode("<"),
    text("NNN"),
    ...minusOne,
    ...minusOne,
    text("K"),
    [0],
    text("tb"),
    [0x89],
    text("B"),
    long(values.byteLength),
    new Uint8Array(values.buffer),
    text("tb."),
  ]);
}
