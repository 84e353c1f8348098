/** The tiles in which Winograd's algorithm computes a convolution. */
import type { Size } from "../../network/sizes.ts";

/** Tiles of an image, and how they are multiplied. */
export interface Tiling {
  /** Rows and columns that a tile has; the kernels' names end with it. */
  side: 6 | 7 | 8;
  /** Rows and columns of the outputs of a tile. */
  outputs: number;
  /**
   * How many tiles there is room for, which share one read of a product's filters, up to 393 kB. Of a slice
   * of 256×256, AlexNet's second layer has 64 and the deeper ones 9 each.
   */
  atOnce: number;
}

const SIX = { side: 6, outputs: 4, atOnce: 64 } as const satisfies Tiling;
const SEVEN = { side: 7, outputs: 5, atOnce: 54 } as const satisfies Tiling;
const EIGHT = { side: 8, outputs: 4, atOnce: 64 } as const satisfies Tiling;

/** Tiles of 5×5 outputs have three times the error of 4×4, so they have to take fewer products than this share. */
const WORTH = 0.85;

/**
 * The tiling of a convolution and of its input gradient.
 *
 * @param size of the filters, 3 or 5
 * @param length rows and columns of the output of a slice of usual size
 */
export function tilingOf(size: number, length: number): Tiling {
  if (size === 5) return EIGHT;
  const products = (tiling: Tiling) =>
    productsOf(tiling) * tilesOver({ height: length, width: length }, tiling);
  return products(SEVEN) < WORTH * products(SIX) ? SEVEN : SIX;
}

/** The tiling of the gradient of filters: of tiles of 4×4 outputs, which most sizes have whole numbers of. */
export function gradientTilingOf({ size }: { size: number }): typeof SIX | typeof EIGHT {
  return size === 5 ? EIGHT : SIX;
}

/** How many products a tile has, one for each pixel of the input that it reads. */
export function productsOf({ side }: Tiling): number {
  return side ** 2;
}

/** How many tiles an output has. */
export function tilesOver({ height, width }: Size, { outputs }: Tiling): number {
  return Math.ceil(width / outputs) * Math.ceil(height / outputs);
}

/** Addresses so many bytes apart share a set of the first cache. */
const SET_BYTES = 4096;

/**
 * From one product's matrix to the next one's, in bytes. Were it a multiple of {@linkcode SET_BYTES}, all
 * numbers of a tile would share one set.
 */
export function productStride(rows: number, columns: number): number {
  return Math.ceil(4 * rows * columns / SET_BYTES) * SET_BYTES + 64;
}

/** The same of a filter gradient's products, of which the kernel has those of eight panels of eight at once. */
export function filterProductStride(inputs: number): number {
  return productStride(inputs, 64);
}
