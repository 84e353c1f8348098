/** A picture that is drawn on. */
import type { Rgb } from "./color_map.ts";
import { drawText, textWidth } from "./font.ts";
import type { Picture } from "./png.ts";

/** How a text is set. */
export interface TextStyle {
  /** Its colour. */
  color: Rgb;
  /**
   * Pixels in a point of the letters' grid; a capital is 7 points high.
   * @default 2
   */
  size?: number;
  /**
   * On which side of `x` it stands.
   * @default "left"
   */
  align?: "left" | "right" | "center";
  /**
   * The most pixels: a longer text is cut and ends in an ellipsis.
   * @default the text is not cut
   */
  width?: number;
}

/** Positions are pixels from the top left corner; what lies outside is not drawn. */
export class Canvas implements Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  /** A picture of one colour. */
  constructor(width: number, height: number, background: Rgb) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, background);
  }

  /** Fills a rectangle. */
  fill(x: number, y: number, width: number, height: number, color: Rgb): void {
    const [top, bottom] = [Math.max(0, y), Math.min(this.height, y + height)];
    const [left, right] = [Math.max(0, x), Math.min(this.width, x + width)];
    if (top >= bottom || left >= right) return;
    // One row pixel by pixel, the others as copies of it.
    const [begin, end] = [left, right].map((column) => (top * this.width + column) * 3);
    for (let at = begin; at < end; at += 3) {
      [this.data[at], this.data[at + 1], this.data[at + 2]] = color;
    }
    for (let row = 1; row < bottom - top; row++) {
      this.data.copyWithin(begin + row * this.width * 3, begin, end);
    }
  }

  /** Copies a picture, which must fit. */
  draw(picture: Picture, x: number, y: number): void {
    for (let row = 0; row < picture.height; row++) {
      const from = row * picture.width * 3;
      const line = picture.data.subarray(from, from + picture.width * 3);
      this.data.set(line, ((y + row) * this.width + x) * 3);
    }
  }

  /** Draws a frame of so many pixels around a rectangle, outside it. */
  frame(x: number, y: number, width: number, height: number, line: number, color: Rgb): void {
    this.fill(x - line, y - line, width + 2 * line, line, color);
    this.fill(x - line, y + height, width + 2 * line, line, color);
    this.fill(x - line, y, line, height, color);
    this.fill(x + width, y, line, height, color);
  }

  /** Writes a line of text; `y` is the top of its capitals. */
  text(text: string, x: number, y: number, { color, size = 2, align, width }: TextStyle): void {
    const shown = width === undefined ? text : _cut(text, size, width);
    const whole = textWidth(shown, size);
    const left = Math.round(x - { left: 0, right: whole, center: whole / 2 }[align ?? "left"]);
    // Where strokes meet, a pixel takes the largest share and not their sum.
    const shares = new Map<number, number>();
    drawText(shown, size, (column, row, share) => {
      const [px, py] = [left + column, y + row];
      if (px < 0 || py < 0 || px >= this.width || py >= this.height) return;
      const pixel = py * this.width + px;
      shares.set(pixel, Math.max(share, shares.get(pixel) ?? 0));
    });
    for (const [pixel, share] of shares) {
      for (let channel = 0; channel < 3; channel++) {
        const below = this.data[3 * pixel + channel];
        this.data[3 * pixel + channel] = Math.round(below + share * (color[channel] - below));
      }
    }
  }
}

function _cut(text: string, size: number, width: number): string {
  const letters = [...text];
  while (letters.length > 1 && textWidth(letters.join(""), size) > width) {
    letters.splice(-2, 2, "…");
  }
  return letters.join("");
}
