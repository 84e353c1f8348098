/**
 * A zip archive whose files lie inside one another: every local header is the beginning of the data
 * of the file before it, so a few hundred kilobytes are read and checked thousands of times. The idea
 * is David Fifield's ("A better zip bomb", USENIX WOOT 2019), without compression.
 */
import { crc32 } from "node:zlib";
import { assemble, type Piece, text } from "../../model/weights/support.ts";
import { joined } from "./mutate.ts";

/** What follows the innermost header. */
const KERNEL = new Uint8Array(1024 * 1024);

function header(name: Uint8Array, content: Uint8Array, at?: number): Uint8Array {
  const central = at !== undefined;
  const bytes = new Uint8Array((central ? 46 : 30) + name.length);
  const view = new DataView(bytes.buffer);
  const fields = central ? 6 : 4;
  view.setUint32(0, central ? 0x02014b50 : 0x04034b50, true);
  view.setUint32(fields + 10, crc32(content), true);
  for (const size of [14, 18]) view.setUint32(fields + size, content.length, true);
  view.setUint16(fields + 22, name.length, true);
  if (central) view.setUint32(42, at, true);
  bytes.set(name, central ? 46 : 30);
  return bytes;
}

/** A PyTorch file with so many storages inside one another, and a tensor of one value on each. */
export function overlappingArchive(count: number): Uint8Array {
  const names = Array.from({ length: count }, (_, n) => new TextEncoder().encode(`a/data/${n}`));
  // Built from the inside out, into one buffer from its end; the sizes are multiples of four.
  const padded = (length: number) => Math.ceil(length / 4) * 4;
  const room = names.reduce((sum, { length }) => sum + padded(30 + length), KERNEL.length);
  const nested = new Uint8Array(room);
  let start = room - KERNEL.length;
  const starts: number[] = [];
  const contents: Uint8Array[] = [];
  for (let n = count - 1; n >= 0; n--) {
    const content = nested.subarray(start);
    const local = header(names[n], content);
    start -= padded(local.length);
    const extra = padded(local.length) - local.length;
    new DataView(local.buffer).setUint16(28, extra, true);
    nested.set(local, start);
    [starts[n], contents[n]] = [start, content];
  }
  const tensor = (n: number): Piece[] => {
    const size = contents[n].length / 4;
    return [
      ...[...text(`t${n}`), "ctorch._utils\n_rebuild_tensor_v2\n(", "(", ...text("storage")],
      ...["ctorch\nFloatStorage\n", ...text(`${n}`), ...text("cpu"), "J"],
      ...[[0, 8, 16, 24].map((bit) => size >> bit & 255), "tQ", "K", 0, "K", 1, 0x85, "K", 1],
      ...[0x85, 0x89, "N", "tRs"] as Piece[],
    ];
  };
  const pickle = assemble("}", ...names.flatMap((_, n) => tensor(n)), ".");
  const pickleName = new TextEncoder().encode("a/data.pkl");
  const first = joined(header(pickleName, pickle), pickle);
  const directory = joined(
    header(pickleName, pickle, 0),
    ...names.map((name, n) => header(name, contents[n], first.length + starts[n])),
  );
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  for (const field of [8, 10]) end.setUint16(field, count + 1, true);
  end.setUint32(12, directory.length, true);
  end.setUint32(16, first.length + nested.length, true);
  return joined(first, nested, directory, new Uint8Array(end.buffer));
}
