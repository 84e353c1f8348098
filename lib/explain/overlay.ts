/**
 * A slice with its map laid over it.
 *
 * All pictures of an exam share one window and one scale, so they can be compared. The greys run from the
 * exam's least value to its largest. The colours run from −m to +m, where m is the largest absolute value
 * in all maps. The nearer a map is to 0, the more the slice shines through.
 */
import type { Exam } from "../data/exam.ts";
import { colorOf } from "./color_map.ts";
import type { Explanation } from "./explain.ts";
import type { Picture } from "./png.ts";
import type { Size } from "../network/sizes.ts";
import { resample, spreadMap } from "./resample.ts";

/** How much of the slice the strongest pixel of a map covers, in 0–1. */
export const OPACITY = 0.75;

/** Steps between 0 and 1 in the table of colours. */
const STEPS = 255;

/** What all pictures of an exam share. */
export interface View {
  /** The exam as it is in its file. */
  exam: Exam;
  /** What is drawn over it. */
  explanation: Explanation;
  /** The grey value that is drawn black. */
  black: number;
  /** The grey value that is drawn white. */
  white: number;
  /** The largest absolute value of a pixel in all maps: the ends of the scale, in units of the logit. */
  strongest: number;
}

/** Prepares an exam's pictures. */
export function viewOf(exam: Exam, explanation: Explanation): View {
  let [black, white] = [Infinity, -Infinity];
  for (const value of exam.voxels) {
    if (value < black) black = value;
    if (value > white) white = value;
  }
  let strongest = -Infinity;
  for (const { map } of explanation.slices) {
    for (const value of map) strongest = Math.max(strongest, Math.abs(value));
  }
  return { exam, explanation, black, white, strongest };
}

/** The size of a slice's picture whose longer side has `side` pixels. */
export function fitted({ height, width }: Size, side: number): Size {
  const scale = side / Math.max(height, width);
  const scaled = (length: number) => Math.max(1, Math.round(length * scale));
  return { height: scaled(height), width: scaled(width) };
}

/**
 * Draws a slice with its map.
 *
 * @param slice from 0
 * @param size of the picture
 */
export function overlay(view: View, slice: number, size: Size): Picture {
  const { exam, explanation, black, white, strongest } = view;
  const pixels = exam.height * exam.width;
  const grey = resample(exam.voxels.subarray(slice * pixels, (slice + 1) * pixels), exam, size);
  const { mapHeight: height, mapWidth: width, mapStride, mapStart, slices } = explanation;
  const grid = { height, width, stride: mapStride, start: mapStart };
  const map = spreadMap(slices[slice].map, grid, exam, size);
  const window = white > black ? 255 / (white - black) : 0;
  const scale = strongest > 0 ? STEPS / strongest : 0;
  const colors = _table();
  const data = new Uint8Array(grey.length * 3);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const shade = (grey[pixel] - black) * window;
    const step = Math.round(map[pixel] * scale);
    const cover = OPACITY * Math.abs(map[pixel]) * scale / STEPS;
    for (let channel = 0; channel < 3; channel++) {
      const color = colors[(step + STEPS) * 3 + channel];
      data[3 * pixel + channel] = Math.round(shade + cover * (color - shade));
    }
  }
  return { ...size, data };
}

let table: Uint8Array | undefined;

/** The colours from −1 to 1. */
function _table(): Uint8Array {
  table ??= Uint8Array.from(
    Array.from({ length: 2 * STEPS + 1 }, (_, step) => colorOf((step - STEPS) / STEPS)).flat(),
  );
  return table;
}
