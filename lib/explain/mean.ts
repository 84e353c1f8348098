/**
 * What several models say together about one exam: the mean of their logits, and the mean of their
 * explanations, which stays an exact sum.
 *
 * With `n` models, each with its own bias `b` and its own shares of the slices,
 *
 *     mean logit = (1/n) Σ (b + Σ_slices share) = mean b + Σ_slices mean share
 *
 * and the same holds of the pixels of the maps. The probability is the sigmoid of the mean logit, not the
 * mean of the probabilities.
 */
import { DataError } from "../errors.ts";
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
  return { logits, probability: sigmoid(logits[1]) };
}

/**
 * The mean of explanations of one exam.
 *
 * The channels of all models stand one behind the other, so `selectedSlices` and `contributions` have
 * `n` times as many values; a contribution is what the channel adds to the mean logit.
 *
 * @param several at least one, all of the same kind of map; one alone is given as it is
 * @throws {DataError} if their maps are of different sizes, as those of different networks may be
 */
export function meanExplanation(several: readonly Explanation[]): Explanation {
  if (several.length === 1) return several[0];
  const [first] = several;
  const sizes = new Set(several.map(({ mapHeight, mapWidth }) => `${mapHeight}×${mapWidth}`));
  if (sizes.size > 1) {
    throw new DataError(
      `Cannot explain the exam '${first.id}' by several models together: their maps are ` +
        `${[...sizes].join(" and ")}: explain it by each model alone`,
    );
  }
  return {
    ...first,
    ...meanPrediction(several),
    bias: meanOf(several.map(({ bias }) => bias)),
    selectedSlices: several.flatMap(({ selectedSlices }) => selectedSlices),
    contributions: several.flatMap(({ contributions }) =>
      contributions.map((value) => value / several.length)
    ),
    slices: first.slices.map((_, index) => _meanShare(several.map(({ slices }) => slices[index]))),
  };
}

/** The mean of numbers. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function _meanShare(several: readonly SliceShare[]): SliceShare {
  return {
    share: meanOf(several.map(({ share }) => share)),
    channelsSelected: several.reduce((sum, { channelsSelected }) => sum + channelsSelected, 0),
    map: several[0].map.map((_, pixel) => meanOf(several.map(({ map }) => map[pixel]))),
  };
}
