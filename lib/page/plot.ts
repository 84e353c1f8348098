/**
 * The frame that the plots share: a unit square or a wider box with ticks, grid and axis names, as
 * SVG that takes its colours from the page.
 */
import { type Fragment, type Markup, markup } from "./html.ts";

/** The width of every plot, in SVG units; about as many pixels where there is room. */
export const WIDTH = 360;

/** Where the area within the axes lies. */
export const LEFT = 46;
/** Its right edge, with room for the last tick's text. */
export const RIGHT = WIDTH - 14;
/** Its upper edge. */
export const TOP = 12;

/** Room below the axes for ticks and name. */
const BELOW = 47;

/** A plot, and what is read out in its place. */
export interface Plot {
  /** Distinguishes it from the other plots of a page. */
  id: string;
  /** What it is. */
  title: string;
  /** What it shows, in a sentence or two. */
  description: string;
  /** Where the axes end at the bottom, in SVG units. */
  bottom: number;
  /** What is drawn. */
  content: Fragment;
}

/** A plot as an image with a name. */
export function plot({ id, title, description, bottom, content }: Plot): Markup {
  const names = `${id}-title ${id}-desc`;
  return markup`<svg viewBox="0 0 ${WIDTH} ${bottom + BELOW}" role="img" aria-labelledby="${names}">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
${content}
</svg>`;
}

/** The coordinate of a share, 0 to 1, from left to right. */
export function x(share: number): number {
  return round(LEFT + share * (RIGHT - LEFT));
}

/** The coordinate of a share, 0 to 1, from `bottom` up to `top`. */
export function y(share: number, top: number, bottom: number): number {
  return round(bottom - share * (bottom - top));
}

/** The least of 1, 2, 5 times a power of ten that a value above 0 does not exceed. */
export function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= value)!;
}

/** A coordinate with as many digits as can be seen. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A tick of an axis: where, as a share of its length, and its text. */
export type Tick = readonly [share: number, text: string];

/** The shares at which axes have their ticks. */
export const SHARES = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** The ticks of an axis of shares. */
export const SHARE_TICKS: readonly Tick[] = SHARES.map((share) => [share, share.toFixed(1)]);

/** A line, of the class that says how it looks. */
export function line(kind: string, d: string): Markup {
  return markup`<path class="${kind}" d="${d}"/>`;
}

/** The axis along the bottom, of shares if nothing else is said; without a `top` there are no lines. */
export function horizontalAxis(
  name: string,
  top: number | undefined,
  bottom: number,
  ticks: readonly Tick[] = SHARE_TICKS,
): Markup {
  const drawn = ticks.map(([share, text]) => [
    top !== undefined && line("grid", `M${x(share)} ${top}V${bottom}`),
    _text(x(share), bottom + 20, "middle", text),
  ]);
  const middle = (LEFT + RIGHT) / 2;
  return markup`<g class="axis">${drawn}${_text(middle, bottom + 40, "middle", name, "name")}</g>`;
}

/** The axis up the left side. */
export function verticalAxis(
  name: string,
  ticks: readonly Tick[],
  top: number,
  bottom: number,
): Markup {
  const drawn = ticks.map(([share, text]) => [
    line("grid", `M${LEFT} ${y(share, top, bottom)}H${RIGHT}`),
    _text(LEFT - 8, y(share, top, bottom) + 4, "end", text),
  ]);
  const turned = `translate(13 ${(top + bottom) / 2}) rotate(-90)`;
  return markup`<g class="axis">${drawn}<g transform="${turned}">${
    _text(0, 0, "middle", name, "name")
  }</g></g>`;
}

function _text(x: number, y: number, anchor: string, text: string, kind = "tick"): Markup {
  return markup`<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

/** The frame of shares on both axes, a square. */
export function square(horizontal: string, vertical: string): { bottom: number; frame: Markup } {
  const bottom = TOP + RIGHT - LEFT;
  const axes = [
    horizontalAxis(horizontal, TOP, bottom),
    verticalAxis(vertical, SHARE_TICKS, TOP, bottom),
  ];
  return { bottom, frame: markup`${axes}` };
}

/** A line through points. */
export function path(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
}

/** The shapes that tell thresholds apart, and the dashes of their lines. */
const MARKS = [
  { shape: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z", dashes: "2 4" },
  { shape: "M0 -6.5L6.5 0L0 6.5L-6.5 0Z", dashes: "9 5" },
  { shape: "M-5 -5H5V5H-5Z", dashes: "9 4 2 4" },
] as const;

/** The mark of the threshold of this index, at a point. */
export function mark(index: number, x: number, y: number): Markup {
  const { shape } = MARKS[index % MARKS.length];
  return markup`<path class="mark" transform="translate(${x} ${y})" d="${shape}"/>`;
}

/** The upright line of the threshold of this index. */
export function thresholdLine(index: number, share: number, top: number, bottom: number): Markup {
  const d = `M${x(share)} ${top}V${bottom}`;
  // Its surroundings are wiped first, or it could not be seen on a bar.
  return markup`${line("halo", d)}${_dashed(index, d)}`;
}

/** A threshold's mark and line as a legend shows them. */
export function legendMark(index: number): Markup {
  const drawn = [mark(index, 8, 8), _dashed(index, "M20 8H44")];
  return markup`<svg class="key" viewBox="0 0 44 16" aria-hidden="true">${drawn}</svg>`;
}

function _dashed(index: number, d: string): Markup {
  const { dashes } = MARKS[index % MARKS.length];
  return markup`<path class="threshold" stroke-dasharray="${dashes}" d="${d}"/>`;
}
