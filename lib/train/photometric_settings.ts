/** The rows of the table of settings that change the grey values of training exams. */
import type { PhotometricRange } from "../data/photometric.ts";
import type { Setting } from "./setting.ts";

/** A change of grey values: off unless it is asked for, as in files older than it. */
const GREY_VALUES = {
  use: { of: "loop", kept: "fixed", optional: true },
  check: { kind: "number", least: 0, most: 1 },
  default: 0,
} as const;

/** The rows, in the order of the help. */
export const PHOTOMETRIC_SETTINGS = {
  brightness: {
    ...GREY_VALUES,
    flag: "--brightness <SHARE>",
    help: "multiply the brightness of a training exam by 1, give or take up to this share",
  },
  contrast: {
    ...GREY_VALUES,
    flag: "--contrast <SHARE>",
    help: "multiply its contrast in the same way",
  },
  logGamma: {
    ...GREY_VALUES,
    flag: "--log_gamma <NUMBER>",
    help: "raise its grey values to a power whose logarithm is up to this, either way",
    check: { kind: "number", least: 0, most: 2 },
  },
  noiseStd: {
    ...GREY_VALUES,
    flag: "--noise_std <SHARE>",
    help: "add noise to it whose standard deviation is up to this share of its range",
  },
  biasField: {
    ...GREY_VALUES,
    flag: "--bias_field <NUMBER>",
    help: "multiply it by a smooth field with coefficients of up to this, either way",
  },
} satisfies { readonly [N in keyof Required<PhotometricRange>]: Setting<number, "loop"> };
