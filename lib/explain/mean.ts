/**
 * What several models say together about one exam: the mean of their logits, and the mean of their
 * explanations, which stays an exact sum.
 *
 * With `n` models, each with its own bias `b` and its own shares of the slices,
 *
 *     mean logit = (1/n) Σ (b + Σ_slices share) = mean b + Σ_slices mean share
 *
 * and the same holds of the pixels of the maps. The probability is the sigmoid of the mean logit, not the
 * mean of the probabilities. If models were recalibrated, it is the sigmoid of the mean of the logits after
 * that.
 */
import { type Prediction, sigmoid } from "../model/mrnet.ts";
import type { Explanation, SliceShare } from "./explain.ts";

/**
 * The mean of predictions for one exam.
 *
 * @param several at least one; what one of them says is given as it is
 */
export function meanPrediction(several: readonly Prediction[]): Prediction {
  if (several.length === 1) return several[0];
  const logit = (output: 0 | 1) => meanOf(several.map(({ logits }) => logits[output]));
  const logits: [number, number] = [logit(0), logit(1)];
  if (several.every(({ recalibrated }) => recalibrated === undefined)) {
    return { logits, probability: sigmoid(logits[1]) };
  }
  const recalibrated = meanOf(several.map((each) => each.recalibrated ?? each.logits[1]));
  return { logits, probability: sigmoid(recalibrated), recalibrated };
}

/**
 * The mean of explanations of one exam.
 *
 * The channels of all models stand one behind the other, so `selectedSlices` and `contributions` have as
 * many values as all models together; a contribution is what the channel adds to the mean logit. The maps
 * of different networks are brought to the grid of the largest of them, the first of equals.
 *
 * @param several at least one, all of the same kind of map; one alone is given as it is
 */
export function meanExplanation(several: readonly Explanation[]): Explanation {
  if (several.length === 1) return several[0];
  const pixels = ({ mapHeight, mapWidth }: Explanation) => mapHeight * mapWidth;
  const largest = several.reduce((one, other) => pixels(other) > pixels(one) ? other : one);
  const { mapHeight, mapWidth, mapStride, mapStart } = largest;
  const maps = several.map((each) => mapsOnGrid(each, largest));
  return {
    ...several[0],
    ...meanPrediction(several),
    ...{ mapHeight, mapWidth, mapStride, mapStart },
    bias: meanOf(several.map(({ bias }) => bias)),
    selectedSlices: several.flatMap(({ selectedSlices }) => selectedSlices),
    contributions: several.flatMap(({ contributions }) =>
      contributions.map((value) => value / several.length)
    ),
    slices: several[0].slices.map((_, index) =>
      _meanShare(several.map(({ slices }) => slices[index]), maps.map((each) => each[index]))
    ),
  };
}

/** The mean of numbers. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function _meanShare(
  several: readonly SliceShare[],
  maps: readonly Float64Array[],
): SliceShare {
  return {
    share: meanOf(several.map(({ share }) => share)),
    channelsSelected: several.reduce((sum, { channelsSelected }) => sum + channelsSelected, 0),
    map: maps[0].map((_, pixel) => meanOf(maps.map((map) => map[pixel]))),
  };
}

/** Where the pixels of a map look. */
type MapGrid = Pick<Explanation, "mapHeight" | "mapWidth" | "mapStride" | "mapStart">;

/**
 * The maps of an explanation on another grid. Each pixel is divided among the up to four pixels that its
 * position lies between there, the nearer the more: the adjoint of bilinear interpolation. So the pixels
 * of a map have the same sum as before, and inside the grid the same centre.
 *
 * @returns a map for each slice, `[grid.mapHeight, grid.mapWidth]`
 */
export function mapsOnGrid({ slices, ...from }: Explanation, grid: MapGrid): Float64Array[] {
  const isSame = from.mapHeight === grid.mapHeight && from.mapWidth === grid.mapWidth &&
    from.mapStride === grid.mapStride && from.mapStart === grid.mapStart;
  if (isSame) return slices.map(({ map }) => map);
  const rows = _divided(from.mapHeight, grid.mapHeight, from, grid);
  const columns = _divided(from.mapWidth, grid.mapWidth, from, grid);
  return slices.map(({ map }) => {
    const moved = new Float64Array(grid.mapHeight * grid.mapWidth);
    for (const [row, ofRow] of rows.entries()) {
      for (const [column, ofColumn] of columns.entries()) {
        const value = map[row * from.mapWidth + column];
        for (const [r, down] of ofRow) {
          for (const [c, right] of ofColumn) moved[r * grid.mapWidth + c] += value * down * right;
        }
      }
    }
    return moved;
  });
}

/** Of each index along one axis the two that it lies between on the other grid, with their shares. */
function _divided(count: number, there: number, from: MapGrid, to: MapGrid): [number, number][][] {
  return Array.from({ length: count }, (_, index) => {
    const position = (from.mapStart + index * from.mapStride - to.mapStart) / to.mapStride;
    const inside = Math.min(Math.max(position, 0), there - 1);
    const before = Math.floor(inside);
    const share = inside - before;
    return share === 0 ? [[before, 1]] : [[before, 1 - share], [before + 1, share]];
  });
}
