/** The tiles in which Winograd's algorithm computes a convolution. */
import type { Size } from "../../network/sizes.ts";

/** Rows and columns of the outputs of a tile. */
export const TILE_OUTPUTS = 4;

/** How the tiles of a layer are multiplied. */
export interface Tiling {
  /** Products of a tile, one for each pixel of the input that it reads. */
  products: number;
  /**
   * How many tiles are multiplied at once: whole register tiles of six. They share one read of a product's
   * filters, up to 393 kB.
   */
  atOnce: number;
}

/** A slice of 256×256 has 16 tiles in AlexNet's layers, so up to four go together. */
const OF_3: Tiling = { products: 36, atOnce: 66 };
/** The same slice has 64 tiles in AlexNet's second layer. */
const OF_5: Tiling = { products: 64, atOnce: 66 };

/** The tiling of filters of this height and width, 3 or 5. */
export function tilingOf({ size }: { size: number }): Tiling {
  return size === 5 ? OF_5 : OF_3;
}

/** Whether Winograd's algorithm computes the filter gradient of a layer in panels, too. */
export function hasWinogradGradient(layer: { winograd: boolean; size: number }): boolean {
  return layer.winograd && layer.size === 3;
}

/** How many tiles an output has. */
export function tilesOver({ height, width }: Size): number {
  return Math.ceil(width / TILE_OUTPUTS) * Math.ceil(height / TILE_OUTPUTS);
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
