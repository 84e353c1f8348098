/**
 * The frames of compressed pixel data, which lie in fragments (DICOM PS3.5, A.4).
 */
import { concat } from "../../bytes.ts";
import { type DataSet, PIXEL_DATA } from "./dataset.ts";

/** Where a fragment's bytes lie. */
interface Fragment {
  /** From the beginning of the first fragment, its item header included. */
  offset: number;
  position: number;
  length: number;
}

/**
 * The bytes of each frame: all fragments of a file with one frame, otherwise those from where the
 * table of offsets says that a frame begins to where the next does, otherwise one fragment each.
 *
 * @throws {Error} if the fragments cannot be told apart into frames; the message says what was found
 */
export function encapsulatedFrames(data: DataSet, frames: number): Uint8Array[] {
  const { fragments, basicOffsetTable = [] } = data.elements[PIXEL_DATA];
  if (fragments === undefined) throw new Error("its pixels are not compressed, its header says so");
  if (frames === 1) return [_join(data, fragments)];
  if (basicOffsetTable.length === frames) {
    // Both rise, so that all fragments are looked at once.
    let at = 0;
    return basicOffsetTable.map((begin, index) => {
      const end = basicOffsetTable[index + 1] ?? Infinity;
      while (at < fragments.length && fragments[at].offset < begin) at++;
      const first = at;
      while (at < fragments.length && fragments[at].offset < end) at++;
      return _join(data, fragments.slice(first, at));
    });
  }
  if (fragments.length === frames) return fragments.map((fragment) => _join(data, [fragment]));
  throw new Error(`its ${fragments.length} fragments cannot be told apart into ${frames} frames`);
}

function _join(data: DataSet, fragments: Fragment[]): Uint8Array {
  const { byteArray } = data;
  const pieces = fragments.map(({ position, length }) => {
    if (position + length > byteArray.length) throw new Error("a fragment is cut off");
    return byteArray.subarray(position, position + length);
  });
  return pieces.length === 1 ? pieces[0] : concat(pieces);
}
