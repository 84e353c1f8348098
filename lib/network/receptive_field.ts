/** Which of a slice's pixels a pixel of the features sees. */
import { IMAGE, type Network, type Window } from "./network.ts";

/** What the pixels of an output see along one axis of the image; both axes are alike. */
export interface ReceptiveField {
  /** How many pixels one of them sees. */
  size: number;
  /** Pixels from the centre of one's field to the centre of the next one's. */
  stride: number;
  /** The pixel that the first one's field is centred on; may be a fraction. */
  start: number;
}

/** What the first pixel of an output sees, from its first to its last pixel, and the stride. */
interface Field {
  first: number;
  last: number;
  stride: number;
}

/**
 * The receptive field of a network's features.
 *
 * A window's pixels lie `stride` pixels of the image apart; each stride multiplies that. Reference:
 * A. Araujo et al., Computing receptive fields of convolutional neural networks, Distill 2019.
 *
 * @throws {Error} if the two outputs of an addition lie on different pixels
 */
export function receptiveField({ name, nodes }: Network): ReceptiveField {
  const fields: Field[] = [];
  const pixel = { first: 0, last: 0, stride: 1 };
  for (const node of nodes) {
    const from = node.sources.map((source) => source === IMAGE ? pixel : fields[source]);
    if (from.some((each) => each.stride !== from[0].stride || _centre(each) !== _centre(from[0]))) {
      throw new Error(`Cannot add outputs that lie on different pixels in '${name}'`);
    }
    const [{ stride }] = from;
    const joined = {
      first: Math.min(...from.map(({ first }) => first)),
      last: Math.max(...from.map(({ last }) => last)),
      stride,
    };
    fields.push("padding" in node ? _throughWindow(joined, node) : joined);
  }
  const { first, last, stride } = fields.at(-1)!;
  return { size: last - first + 1, stride, start: (first + last) / 2 };
}

function _throughWindow(
  { first, last, stride }: Field,
  { size, padding, stride: step }: Window,
): Field {
  return {
    first: first - padding * stride,
    last: last + (size - 1 - padding) * stride,
    stride: stride * step,
  };
}

function _centre({ first, last }: Field): number {
  return (first + last) / 2;
}
