/** The contact sheet: every slice of an exam on one picture, each with its share, and the scale. */
import { Canvas } from "./canvas.ts";
import { colorOf, type Rgb } from "./color_map.ts";
import { signed } from "./numbers.ts";
import { fitted, OPACITY, overlay, type View } from "./overlay.ts";
import type { Picture } from "./png.ts";

/** The background is dark, as images of the body are usually read. */
export const BACKGROUND: Rgb = [16, 17, 20];
/** The colour of what is read first. */
export const INK: Rgb = [232, 233, 236];
/** The colour of what is read second. */
export const QUIET: Rgb = [146, 149, 156];
/** The colour of lines that only separate. */
export const FAINT: Rgb = [46, 48, 54];

/** Side of a slice's picture. */
const SIDE = 256;
const GAP = 14;
const MARGIN = 22;
/** Below a slice: its caption and its bar. */
const CAPTION = 38;
const HEADER = 116;
/** Of the scale. */
const SCALE_WIDTH = 320;
/** The header's text and the scale side by side. */
const LEAST_WIDTH = 860;

/** The colour in which a share is written and drawn. */
export function colorOfShare(share: number): Rgb {
  return share === 0 ? QUIET : colorOf(share > 0 ? 0.65 : -0.65);
}

/** Writes a share so that it ends at `x`; what is rounded to 0 takes no side. */
export function writeShare(canvas: Canvas, written: string, x: number, y: number): void {
  const side = ["−", "", "+"].indexOf(/^[−+]?/.exec(written)![0]) - 1;
  canvas.text(written, x, y, { color: colorOfShare(side), align: "right" });
}

/**
 * Draws the contact sheet.
 *
 * @param title what is predicted, such as `acl · sagittal`
 */
export function contactSheet(view: View, title: string): Picture {
  const { exam, explanation: { slices } } = view;
  const tile = fitted(exam, SIDE);
  const columns = _columns(slices.length);
  const rows = Math.ceil(slices.length / columns);
  const grid = columns * tile.width + (columns - 1) * GAP;
  const width = Math.max(LEAST_WIDTH, grid + 2 * MARGIN);
  const height = HEADER + rows * (tile.height + CAPTION + GAP) + MARGIN - GAP;
  const canvas = new Canvas(width, height, BACKGROUND);
  _header(canvas, view, title);
  const largest = Math.max(...slices.map(({ share }) => Math.abs(share)));
  const write = signed(largest);
  slices.forEach(({ share }, slice) => {
    const x = MARGIN + slice % columns * (tile.width + GAP);
    const y = HEADER + Math.floor(slice / columns) * (tile.height + CAPTION + GAP);
    canvas.draw(overlay(view, slice, tile), x, y);
    if (largest > 0 && Math.abs(share) === largest) {
      canvas.frame(x, y, tile.width, tile.height, 3, colorOfShare(share));
    }
    const line = y + tile.height + 10;
    canvas.text(`slice ${slice}`, x, line, { color: QUIET });
    writeShare(canvas, write(share), x + tile.width, line);
    _bar(canvas, x, line + 20, tile.width, largest > 0 ? share / largest : 0);
  });
  return canvas;
}

/** Rather wider than high, and with as few gaps in the last row as that allows. */
function _columns(slices: number): number {
  const wanted = Math.sqrt(1.4 * slices);
  const gaps = (columns: number) => Math.ceil(slices / columns) * columns - slices;
  const [fewest, most] = [Math.ceil(0.85 * wanted), Math.ceil(1.2 * wanted)];
  const choices = Array.from({ length: most - fewest + 1 }, (_, index) => fewest + index);
  const off = (columns: number) => gaps(columns) + Math.abs(columns - wanted) / 1e3;
  return choices.sort((one, other) => off(one) - off(other))[0];
}

/** A share as a bar from the middle: to the left against the finding, to the right for it. */
function _bar(canvas: Canvas, x: number, y: number, width: number, share: number): void {
  canvas.fill(x, y, width, 4, FAINT);
  const middle = x + Math.floor(width / 2);
  const length = Math.round(Math.abs(share) * width / 2);
  canvas.fill(share < 0 ? middle - length : middle, y, length, 4, colorOfShare(share));
  canvas.fill(middle, y - 2, 1, 8, QUIET);
}

function _header(canvas: Canvas, view: View, title: string): void {
  const { id, probability, logits: [, logit], bias, slices } = view.explanation;
  const room = canvas.width - 3 * MARGIN - SCALE_WIDTH;
  canvas.text(`${id} · ${title}`, MARGIN, MARGIN, { color: INK, size: 3, width: room });
  const sum = slices.reduce((sum, { share }) => sum + share, 0);
  const write = signed(Math.max(Math.abs(logit), Math.abs(bias), Math.abs(sum)));
  const style = { color: QUIET, width: room };
  canvas.text(`probability ${probability.toFixed(3)}`, MARGIN, MARGIN + 33, style);
  const terms = `logit ${write(logit)} = shares ${write(sum)}, bias ${write(bias)}`;
  canvas.text(terms, MARGIN, MARGIN + 55, style);
  _scale(canvas, view, canvas.width - MARGIN - SCALE_WIDTH, MARGIN);
}

/** What the colours mean, over black and with their transparency, as in the pictures. */
function _scale(canvas: Canvas, { strongest }: View, x: number, y: number): void {
  for (let column = 0; column < SCALE_WIDTH; column++) {
    const value = 2 * (column + 0.5) / SCALE_WIDTH - 1;
    const cover = OPACITY * Math.abs(value);
    const color = colorOf(value);
    const [red, green, blue] = [0, 1, 2].map((channel) => {
      return Math.round(BACKGROUND[channel] + cover * (color[channel] - BACKGROUND[channel]));
    });
    canvas.fill(x + column, y, 1, 16, [red, green, blue]);
  }
  canvas.frame(x, y, SCALE_WIDTH, 16, 1, FAINT);
  const write = signed(strongest);
  const style = { color: QUIET, size: 1.5 };
  canvas.text(write(-strongest), x, y + 24, style);
  canvas.text("0", x + SCALE_WIDTH / 2, y + 24, { ...style, align: "center" });
  canvas.text(write(strongest), x + SCALE_WIDTH, y + 24, { ...style, align: "right" });
  canvas.text("against", x, y + 41, style);
  const unit = "logit per map pixel";
  canvas.text(unit, x + SCALE_WIDTH / 2, y + 41, { ...style, align: "center" });
  canvas.text("for", x + SCALE_WIDTH, y + 41, { ...style, align: "right" });
}
