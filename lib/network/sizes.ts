/** Heights and widths that follow from an image's. */
import { IMAGE, type Network, type Window } from "./network.ts";

/** Height and width. */
export interface Size {
  /** In pixels. */
  height: number;
  /** In pixels. */
  width: number;
}

/** How many windows fit along a side of this many pixels; 0 or less if it is too short for one. */
export function windowsAlong(length: number, { size, stride, padding }: Window): number {
  return Math.floor((length + 2 * padding - size) / stride) + 1;
}

/** How many windows fit over the height and the width of an image. */
export function windowsOver({ height, width }: Size, window: Window): Size {
  return { height: windowsAlong(height, window), width: windowsAlong(width, window) };
}

/**
 * The size of every node's output.
 *
 * @param image height and width of a slice; if it is too small, sizes below 1 follow
 * @returns as many as there are nodes, in their order; the last one's, the mean's, is 1×1
 */
export function sizesOf({ nodes }: Network, image: Size): Size[] {
  const sizes: Size[] = [];
  for (const node of nodes) {
    const [from] = node.sources.map((source) => source === IMAGE ? image : sizes[source]);
    switch (node.kind) {
      case "convolution":
      case "maxPool":
        sizes.push(windowsOver(from, node));
        break;
      case "relu":
      case "add":
        sizes.push(from);
        break;
      case "mean":
        sizes.push({ height: 1, width: 1 });
        break;
      default:
        node satisfies never;
    }
  }
  return sizes;
}

/** The size of the features, of which the last node takes the means. */
export function featureSize(network: Network, image: Size): Size {
  const [source] = network.nodes.at(-1)!.sources;
  return source === IMAGE ? image : sizesOf(network, image)[source];
}

/** The least height and width of a slice of which every node has an output, in pixels. */
export function leastSide(network: Network): number {
  for (let side = 1;; side++) {
    const sizes = sizesOf(network, { height: side, width: side });
    if (sizes.every(({ height }) => height > 0)) return side;
  }
}
