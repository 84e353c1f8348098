/** The frames of compressed pixel data, which lie in fragments (DICOM PS3.5, A.4). */
import { concat } from "../../bytes.ts";
import type { PixelLocation } from "./header.ts";

/** Where a fragment's bytes lie. */
interface Fragment {
  /** From the beginning of the first fragment, its item header included. */
  offset: number;
  position: number;
  length: number;
}

/** The most fragments of a file; an object is made of each. */
const MAX_FRAGMENTS = 100_000;

/** The group and element of an item, and of what ends them. */
const ITEM = 0xe000fffe;
const END = 0xe0ddfffe;

/**
 * The bytes of each frame: all fragments of a file with one frame, otherwise those from where the
 * table of offsets says that a frame begins to where the next does, otherwise one fragment each.
 *
 * @throws {Error} if the fragments cannot be told apart into frames; the message says what was found
 */
export function encapsulatedFrames(
  bytes: Uint8Array,
  { offset, isEncapsulated }: Pick<PixelLocation, "offset" | "isEncapsulated">,
  frames: number,
): Uint8Array[] {
  if (!isEncapsulated) throw new Error("its pixels are not compressed, its header says so");
  const [table, ...fragments] = _items(bytes, offset);
  if (frames === 1) return [_join(bytes, fragments)];
  if (table?.length === 4 * frames) {
    const { position } = table;
    if (position + table.length > bytes.length) throw new Error("its table of offsets is cut off");
    const view = new DataView(bytes.buffer, bytes.byteOffset + position, table.length);
    const begins = Array.from({ length: frames }, (_, index) => view.getUint32(4 * index, true));
    // Both rise, so that all fragments are looked at once.
    let at = 0;
    return begins.map((begin, index) => {
      const end = begins[index + 1] ?? Infinity;
      while (at < fragments.length && fragments[at].offset < begin) at++;
      const first = at;
      while (at < fragments.length && fragments[at].offset < end) at++;
      return _join(bytes, fragments.slice(first, at));
    });
  }
  if (fragments.length === frames) return fragments.map((fragment) => _join(bytes, [fragment]));
  throw new Error(`its ${fragments.length} fragments cannot be told apart into ${frames} frames`);
}

/** The items from a position to their end, or the file's: the table of offsets, then the fragments. */
function _items(bytes: Uint8Array, start: number): Fragment[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Fragment[] = [];
  let first = start;
  for (let at = start; at + 8 <= bytes.length && view.getUint32(at, true) !== END;) {
    if (view.getUint32(at, true) !== ITEM) {
      throw new Error("there is no fragment where one belongs");
    }
    const length = view.getUint32(at + 4, true);
    items.push({ offset: at - first, position: at + 8, length });
    if (items.length > MAX_FRAGMENTS) throw new Error(`it has over ${MAX_FRAGMENTS} fragments`);
    at += 8 + length;
    if (items.length === 1) first = at;
  }
  return items;
}

function _join(bytes: Uint8Array, fragments: Fragment[]): Uint8Array {
  const pieces = fragments.map(({ position, length }) => {
    if (position + length > bytes.length) throw new Error("a fragment is cut off");
    return bytes.subarray(position, position + length);
  });
  return pieces.length === 1 ? pieces[0] : concat(pieces);
}
