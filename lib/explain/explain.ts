/**
 * Where a model looked: the finding's logit as a sum over the slices, and each slice's share as a sum
 * over its pixels.
 *
 * The maximum over the slices makes that exact. Of each channel only one slice enters the logit, the
 * argmax `a(c)` of the means. With the linear layer's weights `w` and bias `b` of the finding
 *
 *     logit = b + Σ_c w[c] · mean_hw feature[a(c), h, w, c]
 *
 * so every term belongs to one slice. Class activation maps: B. Zhou et al., Learning Deep Features
 * for Discriminative Localization, CVPR 2016.
 */
import type { Exam } from "../data/exam.ts";
import type { Features } from "../model/features.ts";
import { headValues } from "../model/parameters.ts";
import type { MRNet, Prediction, ReadOptions } from "../model/mrnet.ts";
import { networkOf } from "../network/networks.ts";
import { receptiveField } from "../network/receptive_field.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";

/** The two maps. */
export const MAP_KINDS = ["share", "classic"] as const satisfies readonly MapKind[];
/**
 * `share`: of each slice the channels that selected it. The pixels of a map add up to the slice's share,
 * and all shares and the bias to the logit. `classic`: all channels of each slice. The pixels and the bias
 * add up to the logit that an exam of this slice alone would have.
 */
export type MapKind = "share" | "classic";

/** What one slice adds to a logit. */
export interface SliceShare {
  /** What the channels that selected it add to the logit; may be negative, 0 if there is none. */
  share: number;
  /** How many channels selected it with a mean above 0. If that is 0, the slice changed nothing. */
  channelsSelected: number;
  /**
   * The class activation map, `[mapHeight, mapWidth]`, in units of the logit. With `mapStride` s and
   * `mapStart` a, its pixel at row `r` and column `c` looks at the exam's pixels around row `s r + a` and
   * column `s c + a`.
   */
  map: Float64Array;
}

/** Where an answer comes from. */
export interface Explanation extends Prediction {
  /** The exam's name. */
  id: string;
  /** Which maps these are. */
  map: MapKind;
  /** The linear layer's bias of the finding: what the logit is made of beside the shares. */
  bias: number;
  /**
   * `[channels]`: the slice that each channel selected, from 0; the first of equals, as in the model. Of
   * several models together the channels of one stand behind those of the other.
   */
  selectedSlices: number[];
  /** `[channels]`: what each channel adds to the logit. */
  contributions: number[];
  /** Height of a map, 7 for slices of 256 pixels. */
  mapHeight: number;
  /** Width of a map. */
  mapWidth: number;
  /** From a pixel of a map to the next one, in pixels of the exam: 32. */
  mapStride: number;
  /** Where a map's first pixel looks, in pixels of the exam: 31 for AlexNet, 0 for ResNet-18. */
  mapStart: number;
  /** One for each slice of the exam, in order. */
  slices: SliceShare[];
}

/** How to explain. */
export interface ExplainOptions {
  /**
   * Which map of each slice.
   * @default "share"
   */
  map?: MapKind;
  /** Waited for between two chunks of the exam; see {@linkcode ReadOptions.between}. */
  between?: ReadOptions["between"];
}

/** What explaining can be given. */
export const EXPLAIN_OPTION_NAMES: OptionNames<ExplainOptions> = {
  map: true,
  between: true,
};

/** As in `verbs.ts`, where it is described. */
export async function explain(
  model: MRNet,
  exam: Exam,
  options: ExplainOptions = {},
): Promise<Explanation> {
  checkOptionNames("explain", options, EXPLAIN_OPTION_NAMES);
  const { map = "share", between } = options;
  const { features, ...prediction } = await model.predictWithFeatures(exam, { between });
  const { weight, bias } = await headValues(model.parameters);
  // The rows of the linear layer: the finding's absence, its presence.
  const { channels } = features;
  const { stride, start } = receptiveField(networkOf(model.network));
  const present = Float64Array.from(weight.subarray(channels, 2 * channels));
  const means = channelMeans(features);
  const selectedSlices = _argmax(means, features);
  const isSelected = (channel: number, slice: number) => selectedSlices[channel] === slice;
  const counts = { share: isSelected, classic: () => true }[map];
  return {
    id: exam.id,
    ...prediction,
    map,
    bias: bias[1],
    selectedSlices,
    contributions: selectedSlices.map((slice, channel) => {
      return present[channel] * means[slice * channels + channel];
    }),
    mapHeight: features.height,
    mapWidth: features.width,
    mapStride: stride,
    mapStart: start,
    slices: Array.from({ length: features.slices }, (_, slice) => {
      const own = selectedSlices.flatMap((selected, channel) =>
        selected === slice ? [channel] : []
      );
      const mean = (channel: number) => means[slice * channels + channel];
      return {
        share: own.reduce((sum, channel) => sum + present[channel] * mean(channel), 0),
        channelsSelected: own.filter((channel) => mean(channel) > 0).length,
        map: _mapOf(features, slice, present.map((w, channel) => counts(channel, slice) ? w : 0)),
      };
    }),
  };
}

/** The mean of each channel over each slice, `[slices, channels]`. */
export function channelMeans({ slices, height, width, channels, values }: Features): Float64Array {
  const pixels = height * width;
  const means = new Float64Array(slices * channels);
  for (let slice = 0; slice < slices; slice++) {
    for (let at = slice * pixels * channels; at < (slice + 1) * pixels * channels; at++) {
      means[slice * channels + at % channels] += values[at];
    }
  }
  return means.map((sum) => sum / pixels);
}

/** The slice with the largest mean of each channel. */
function _argmax(means: Float64Array, { slices, channels }: Features): number[] {
  return Array.from({ length: channels }, (_, channel) => {
    let selected = 0;
    for (let slice = 1; slice < slices; slice++) {
      if (means[slice * channels + channel] > means[selected * channels + channel]) {
        selected = slice;
      }
    }
    return selected;
  });
}

/** What each pixel of a slice adds, `[height, width]`. */
function _mapOf(features: Features, slice: number, weights: Float64Array): Float64Array {
  const { height, width, channels, values } = features;
  const pixels = height * width;
  return Float64Array.from({ length: pixels }, (_, pixel) => {
    const at = (slice * pixels + pixel) * channels;
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += weights[channel] * values[at + channel];
    }
    return sum / pixels;
  });
}
