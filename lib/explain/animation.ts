/**
 * An animation through an exam: slice after slice with its map, and below it all shares, with the current
 * one marked.
 */
import { Canvas } from "./canvas.ts";
import type { Rgb } from "./color_map.ts";
import { encodeGif } from "./gif.ts";
import { signed } from "./numbers.ts";
import { fitted, overlay, type View } from "./overlay.ts";
import { BACKGROUND, colorOfShare, FAINT, INK, QUIET, writeShare } from "./sheet.ts";

/** Longer side of a slice's picture. */
const SIDE = 320;
/** The least width: caption and shares need it. */
const LEAST_WIDTH = 240;
const CAPTION = 34;
const PROFILE = 46;
const MARGIN = 10;
/** How long a slice is shown. */
const MILLISECONDS = 250;

/** The bytes of an animated GIF with a frame a slice. */
export function animation(view: View): Uint8Array {
  return encodeGif(view.explanation.slices.map((_, slice) => _frame(view, slice)), MILLISECONDS);
}

function _frame(view: View, slice: number): Canvas {
  const shares = view.explanation.slices.map(({ share }) => share);
  const largest = Math.max(...shares.map(Math.abs));
  const size = fitted(view.exam, SIDE);
  const width = Math.max(size.width, LEAST_WIDTH);
  const canvas = new Canvas(width, size.height + CAPTION + PROFILE + MARGIN, BACKGROUND);
  canvas.draw(overlay(view, slice, size), Math.floor((width - size.width) / 2), 0);
  const line = size.height + MARGIN;
  canvas.text(`slice ${slice}`, MARGIN, line, { color: QUIET });
  writeShare(canvas, signed(largest)(shares[slice]), width - MARGIN, line);
  _profile(canvas, { shares, largest, slice }, size.height + CAPTION);
  return canvas;
}

/** All shares as columns from a line in the middle. */
function _profile(
  canvas: Canvas,
  { shares, largest, slice }: { shares: number[]; largest: number; slice: number },
  y: number,
): void {
  const room = canvas.width - 2 * MARGIN;
  const middle = y + PROFILE / 2;
  const edge = (index: number) => MARGIN + Math.round(index * room / shares.length);
  canvas.fill(MARGIN, middle, room, 1, FAINT);
  shares.forEach((share, index) => {
    const x = edge(index);
    const width = Math.max(1, edge(index + 1) - x - 1);
    const length = largest > 0 ? Math.round(Math.abs(share) / largest * PROFILE / 2) : 0;
    const color = index === slice ? colorOfShare(share) : _dimmed(colorOfShare(share));
    canvas.fill(x, share > 0 ? middle - length : middle + 1, width, length, color);
    if (index === slice) canvas.fill(x, y + PROFILE + 3, width, 2, INK);
  });
}

function _dimmed(color: Rgb): Rgb {
  const [red, green, blue] = color.map((value, index) => {
    return Math.round(BACKGROUND[index] + 0.45 * (value - BACKGROUND[index]));
  });
  return [red, green, blue];
}
