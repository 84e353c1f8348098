/** What takes a decoder of JPEG 2000 long. */
import { concat } from "../../lib/bytes.ts";

/**
 * A JPEG 2000 stream of 1024×1024 whose empty packets take a decoder up to a second a million, and with the
 * smallest precincts gigabytes: 65,535 layers of 33 resolutions.
 *
 * @param options how many packets there are, and the code of the precincts' sizes, of the smallest
 * resolution and of the others
 */
export function slowStream(
  { packets, first = 255, others = 255 }: { packets: number; first?: number; others?: number },
): Uint8Array<ArrayBuffer> {
  const levels = 32;
  const word = (value: number) => [value >> 8, value & 255];
  const long = (value: number) => [...word(value >>> 16), ...word(value & 0xffff)];
  const sizes = [1024, 1024, 0, 0, 1024, 1024, 0, 0].flatMap(long);
  return concat([
    [0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0, ...sizes, 0, 1, 11, 1, 1],
    [0xff, 0x52, 0, 13 + levels, 1, 4, 255, 255, 0, levels, 0, 0, 0, 1],
    Array(levels + 1).fill(others).with(0, first),
    [0xff, 0x5c, ...word(4 + 3 * levels), 0x20, ...Array(3 * levels + 1).fill(0x48)],
    [0xff, 0x90, 0, 10, 0, 0, ...long(14 + packets), 0, 1, 0xff, 0x93],
    new Uint8Array(packets),
    [0xff, 0xd9],
  ]);
}
