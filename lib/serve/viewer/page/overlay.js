/**
 * What is drawn over a plane's image and is not part of it: the letters of its edges, a scale bar, and the
 * lines along which the slices of the other planes cut it. In words for those who do not see it.
 */
import { edgeLetters, LETTER_WORDS, scaleBar, within } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";

/** What a line's label calls its plane: letters alone are those of the edges. */
const SHORT = { sagittal: "sag", coronal: "cor", axial: "ax" };

/** How far from a line's end its label stands, in shares of what is seen of it. */
const LABEL_AT = 0.25;

/**
 * A line of another plane's slice, in pixels of the image.
 *
 * @typedef {{ plane: string, slice: number, ends: [Point, Point] }} Line
 * @typedef {import("./geometry.js").Point} Point
 */

/** The overlay of a panel. */
export class Overlay {
  #element;
  #words;
  /** The image, if one is on show: its geometry and size. */
  #image;
  #lines = [];

  /**
   * @param {HTMLElement} panel
   * @param {string} plane its name
   */
  constructor(panel, plane) {
    this.#element = panel.querySelector(".overlay");
    this.#words = panel.querySelector(".lies");
    this.#words.id = `${plane}-lies`;
    panel.querySelector(".stage canvas").setAttribute("aria-describedby", this.#words.id);
  }

  /**
   * Draws what is known of an image.
   *
   * @param {{ geometry?: object, width: number, height: number }} [image] nothing takes all away
   * @param {import("./zoom.js").Zoom} zoom
   */
  show(image, zoom) {
    this.#image = image;
    const letters = edgeLetters(image?.geometry);
    const pixel = image?.geometry?.pixel;
    this.#element.hidden = letters === undefined && pixel === undefined;
    for (const side of ["left", "right", "top", "bottom"]) {
      this.#element.querySelector(`[data-side="${side}"]`).textContent = letters?.[side] ?? "";
    }
    this.zoom(zoom);
  }

  /**
   * Draws the lines of the other planes' slices on show.
   *
   * @param {Line[]} lines
   * @param {import("./zoom.js").Zoom} zoom
   */
  draw(lines, zoom) {
    this.#lines = lines;
    this.zoom(zoom);
  }

  /** Draws the bar and the lines as the image lies on its stage now. */
  zoom(zoom) {
    const { geometry, width } = this.#image ?? {};
    const bar = this.#element.querySelector(".scale-bar");
    bar.hidden = geometry?.pixel === undefined;
    if (!bar.hidden) {
      const { length, share } = scaleBar(geometry.pixel * width / zoom.scale);
      bar.style.width = `${100 * share}%`;
      bar.textContent = `${length} mm`;
    }
    this.#element.querySelector(".lines").replaceChildren(...this.#linesOn(zoom));
    this.#words.textContent = this.#image === undefined ? "" : this.#said();
  }

  #linesOn(zoom) {
    const { width, height } = this.#image ?? {};
    return this.#lines.flatMap(({ plane, slice, ends }) => {
      const seen = within(ends.map(({ x, y }) => zoom.at(x / width, y / height)), 1, 1);
      return seen === undefined
        ? []
        : lineOf(seen, { plane, label: `${SHORT[plane]} ${slice + 1}` });
    });
  }

  /** All of it in sentences. */
  #said() {
    const { geometry, width, height } = this.#image;
    const letters = edgeLetters(geometry);
    const sides = letters === undefined
      ? []
      : [["left", "Left"], ["right", "right"], ["top", "top"], ["bottom", "bottom"]].map(
        ([side, name]) =>
          `${name} ${[...letters[side]].map((letter) => LETTER_WORDS[letter]).join(" and ")}`,
      );
    const wide = geometry?.pixel === undefined
      ? []
      : [`The whole image is ${Math.round(geometry.pixel * width)} mm wide`];
    // The pixel that an end is in; the edges belong to the image.
    const pixel = (x, size) => Math.min(Math.max(Math.floor(x), 0), size - 1);
    const at = ({ x, y }) => `column ${pixel(x, width)}, row ${pixel(y, height)}`;
    const lines = this.#lines.map(({ plane, slice, ends: [from, to] }) =>
      `The ${plane} slice ${slice + 1} cuts it from ${at(from)} to ${at(to)}`
    );
    return [sides.join(", "), ...wide, ...lines].filter(Boolean).map((each) => `${each}.`).join(
      " ",
    );
  }
}

/** A line with a dark one below it, for it lies on bright and dark, and its label. */
function lineOf([from, to], { plane, label }) {
  const percent = (share) => `${(100 * share).toFixed(3)}%`;
  const ends = {
    ...{ x1: percent(from.x), y1: percent(from.y), x2: percent(to.x), y2: percent(to.y) },
  };
  const at = {
    x: from.x + LABEL_AT * (to.x - from.x),
    y: from.y + LABEL_AT * (to.y - from.y),
  };
  const isFarRight = at.x > 0.8;
  const words = svg("text", {
    ...{ x: percent(at.x), y: percent(at.y), class: plane },
    ...{ dx: isFarRight ? -5 : 5, dy: at.y < 0.1 ? 14 : -5 },
    "text-anchor": isFarRight ? "end" : "start",
  });
  words.textContent = label;
  return [svg("line", { ...ends, class: "casing" }), svg("line", { ...ends, class: plane }), words];
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
