/**
 * Convolutions by Winograd's algorithm, as calls of the kernels in `winograd.ts`.
 */
import { type Bordered, TILES_AT_ONCE, WINOGRAD_LAYERS, type WinogradLayer } from "./memory_map.ts";
import { LANES, type ThreadWriter } from "./thread_writer.ts";

/** Transforms the filters of one panel, which this thread has packed. */
export function transformPanel(
  writer: ThreadWriter,
  name: WinogradLayer,
  panel: number,
  packed: number,
  side: number,
): void {
  const { fixed: { transformed } } = writer.setting;
  const { inputs, outputs } = WINOGRAD_LAYERS[name];
  writer.program.call("transformFilters", {
    weights: packed,
    out: transformed[name] + panel * LANES * inputs * 4,
    stride: 4 * inputs * outputs,
    inputs,
    side,
    temp: writer.scratch.temp,
  });
}

/**
 * One convolution of several slices by Winograd's algorithm.
 *
 * @param slices where each one's input begins, its border included, and where its output begins
 * @param like the input
 * @param output its height, width and bytes in a row
 */
export function winogradConvolution(
  writer: ThreadWriter,
  name: WinogradLayer,
  slices: readonly { x: number; out: number }[],
  like: Bordered,
  output: { height: number; width: number; pitch: number },
  bias: number,
): void {
  const { fixed: { transformed }, tables } = writer.setting;
  const { tilesIn, tilesOut, temp } = writer.scratch;
  const { inputs, outputs } = WINOGRAD_LAYERS[name];
  const { program } = writer;
  const { height, width, pitch } = output;
  // A tile of 6×6 gives 2×2 outputs with a filter of 5×5, and 4×4 with one of 3×3.
  const side = like.border === 2 ? 2 : 4;
  const across = Math.ceil(width / side);
  const perSlice = across * Math.ceil(height / side);
  const rows = like.height + 2 * like.border;
  const columns = like.width + 2 * like.border;
  const [strideIn, strideOut] = [inputs, outputs].map((each) => 4 * each * TILES_AT_ONCE);
  for (let first = 0; first < slices.length * perSlice; first += TILES_AT_ONCE) {
    const end = Math.min(first + TILES_AT_ONCE, slices.length * perSlice);
    // The tiles of each slice that are among these.
    const runs: { slice: number; from: number; count: number; at: number }[] = [];
    for (let tile = first; tile < end;) {
      const [slice, from] = [Math.floor(tile / perSlice), tile % perSlice];
      const count = Math.min(perSlice - from, end - tile);
      runs.push({ slice, from, count, at: tile - first });
      tile += count;
    }
    for (const { slice, from, count, at } of runs) {
      program.call("transformImage", {
        ...{ x: slices[slice].x, rows, columns, channels: inputs },
        ...{ across, from, count, side },
        out: tilesIn + at * inputs * 4,
        stride: strideIn,
        temp,
      });
    }
    program.call("multiplyTransformed", {
      table: tables[name].at,
      tiles: Math.ceil((end - first) / 6),
      image: tilesIn,
      imageStride: strideIn,
      filters: transformed[name],
      filterStride: 4 * inputs * outputs,
      out: tilesOut,
      outStride: strideOut,
      panels: outputs / LANES,
      inputs,
      block: inputs,
    });
    for (const { slice, from, count, at } of runs) {
      program.call("transformBack", {
        products: tilesOut + at * outputs * 4,
        stride: strideOut,
        bias,
        relu: bias === 0 ? 0 : 1,
        ...{ out: slices[slice].out, pitch, height, width, channels: outputs },
        ...{ across, from, count, side },
        temp,
      });
    }
  }
}
