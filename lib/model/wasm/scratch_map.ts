/** What a thread computes in: the memory of a convolution, of tiles, and of the gradients on their way back. */
import { IMAGE } from "../../network/network.ts";
import { type Arena, NOWHERE } from "./arena.ts";
import { joinedBy, readersOf } from "./layer_kernels.ts";
import type { LayerLayout } from "./parameters.ts";
import { type LayerShape, pixels, valuesOf } from "./shapes.ts";
import { filterProductStride, gradientTilingOf, productsOf, productStride } from "./tiling.ts";

/** The most slices that go back together. The deeper layers have so few tiles that four fill the products. */
const MAX_GROUP = 4;

/** What the gradients of a group may take, if it has more than one slice. */
const GROUP_BYTES = 12 * 1024 * 1024;

/** Words of a group ahead of its slices. */
const GROUP_WORDS = 3;

/** The gradients of one slice, on its way back. */
export interface Slot {
  /** The word that says which slice it is. */
  which: number;
  /** Gradients of each layer's output. */
  gradients: number[];
  /** The same where the ReLU let the activation through, of layers in panels. */
  masked: number[];
  /** What a layer adds to the gradient of its input, if it is not the first that reads this. */
  shares: number[];
}

/** What a thread computes in. */
export interface Scratch {
  /** The output of a convolution that a pool follows. */
  conv: number;
  /** Tiles before and after the products, and a few vectors for the transforms. */
  tilesIn: number;
  tilesOut: number;
  temp: number;
  /** The lists of `listMaxima` and `sortByPixel`. */
  lists: number;
  counts: number;
  starts: number;
  entries: number;
  /** One for each slice of a group that goes back together. */
  slots: Slot[];
  /** The words that `nextGroup` writes, and the slices behind them. */
  group: number;
  /** A last layer's output, or its gradient, without its border. */
  features: number;
  /** The operands of filter gradients that Winograd's algorithm does not compute. */
  tiles: number;
  panels: number;
  /** The products of those that it does. */
  products: number;
  /** Which thread goes back through each slice; -1 where no channel selected it. */
  owners: number;
}

/**
 * Lays out what a thread computes in.
 *
 * @param backward how many slices it may have to go back through; 0 without memory for gradients
 */
export function mapScratch(
  arena: Arena,
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
  backward: number,
): Omit<Scratch, "owners"> {
  const trained = (bytes: number) => backward > 0 ? arena.take(bytes) : NOWHERE;
  const most = (of: readonly LayerShape[], what: (shape: LayerShape) => number) =>
    Math.max(0, ...of.map(what));
  const ordered = (wanted: string) => shapes.filter((_, index) => layers[index].order === wanted);
  const pooled = shapes.filter((_, index) => layers[index].pool);
  // The sparse gradient of the first layer is that of its filters alone.
  const sparse = ordered("filters");
  const panels = ordered("panels");
  const direct = panels.filter((shape) => !layers[shapes.indexOf(shape)].tiling);
  const last = layers.length - 1;
  const tileBytes = Math.max(
    0,
    ...layers.flatMap((layer) =>
      layer.tiling === undefined
        ? []
        : [layer.tiling, gradientTilingOf(layer)].map((tiling) =>
          productsOf(tiling) * productStride(tiling.atOnce, Math.max(layer.inputs, layer.outputs))
        )
    ),
  );
  // The last convolution's is that of several slices; see forward.ts.
  const { pool, tiling, outputs } = layers[last];
  const several = pool && tiling ? tiling.outputs ** 2 * tiling.atOnce * outputs : 0;
  const conv = arena.take(Math.max(4 * several, most(pooled, ({ convolved }) => convolved.bytes)));
  const [tilesIn, tilesOut] = arena.takeEach(2, tileBytes);
  const temp = arena.take(64 * 16);
  const group = trained(4 * (GROUP_WORDS + MAX_GROUP));
  const slots: Slot[] = [];
  for (let most = backward; slots.length < most;) {
    const start = arena.end;
    slots.push(_mapSlot(arena, layers, shapes, group + 4 * (GROUP_WORDS + slots.length)));
    most = Math.min(most, MAX_GROUP, Math.floor(GROUP_BYTES / (arena.end - start)));
  }
  const listed = [...ordered("first"), ...sparse];
  const lists = trained(12 * most(listed, ({ output }) => valuesOf(output)));
  const counts = trained(4 * most(listed, ({ output }) => output.channels));
  const starts = trained(4 * (most(sparse, ({ input }) => pixels(input)) + 2));
  const entries = trained(8 * most(sparse, ({ output }) => valuesOf(output)));
  return {
    ...{ conv, tilesIn, tilesOut, temp, group, slots, lists, counts, starts, entries },
    tiles: trained(
      Math.max(0, ...direct.map((shape) => _tileBytes(shape, layers[shapes.indexOf(shape)]))),
    ),
    panels: trained(most(direct, ({ output }) => output.bytes)),
    products: trained(
      Math.max(0, ...layers.filter(({ tiling }) => tiling).map(_filterProductBytes)),
    ),
    features: layers[last].pool ? NOWHERE : arena.take(4 * valuesOf(shapes[last].output)),
  };
}

function _mapSlot(
  arena: Arena,
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
  which: number,
): Slot {
  const last = layers.length - 1;
  const gradients = [arena.take(shapes[last].gradient.bytes)];
  const masked = [layers[last].pool ? NOWHERE : gradients[0]];
  for (let index = last - 1; index >= 0; index--) {
    const { bytes } = shapes[index].gradient;
    const adder = joinedBy(layers, index);
    gradients.unshift(adder === undefined ? arena.take(bytes) : masked[adder - index - 1]);
    // A sparse gradient fills the border, in which a masked one has zeros; ahead of a pool it is larger.
    const { order, pool } = layers[index];
    const apart = order === "panels" && (pool !== undefined ||
      readersOf(layers, index).some((reader) => layers[reader].order === "filters"));
    masked.unshift(apart ? arena.take(shapes[index].convolvedGradient.bytes) : gradients[0]);
  }
  const shares = layers.map(({ source }, index) =>
    source === IMAGE || readersOf(layers, source)[0] === index
      ? NOWHERE
      : arena.take(shapes[source].gradient.bytes)
  );
  return { which, gradients, masked, shares };
}

/** Bytes of a filter gradient's products before they are transformed back. */
function _filterProductBytes(layer: LayerLayout): number {
  return productsOf(gradientTilingOf(layer)) * filterProductStride(layer.inputs);
}

/** Bytes of a layer's input in tiles, each row as long as one of its output. */
function _tileBytes({ output }: LayerShape, { inputs, size, stride }: LayerLayout): number {
  const rows = output.height + (stride === 1 ? size - 1 : 0);
  return 4 * inputs * rows * output.pitch / output.step;
}
