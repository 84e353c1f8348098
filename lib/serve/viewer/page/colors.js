/** The heat map's colours beside the map: on the marks of the slices, and as a scale. */

/** How far out on the heat map's scale the marks have their colours: bright on black, as the map is. */
const MARKS_AT = 0.8;

/**
 * Gives the marks of the slices the heat map's colours: one code for one thing.
 *
 * @param {number[][]} colors red, green and blue, from the most negative share to the most positive
 */
export function colorMarks(colors) {
  const end = colors.length - 1;
  const set = (name, position) =>
    document.documentElement.style.setProperty(
      name,
      `rgb(${colors[Math.round(position * end)].join(" ")})`,
    );
  set("--for", (1 + MARKS_AT) / 2);
  set("--against", (1 - MARKS_AT) / 2);
}

/**
 * Draws what the colours mean, over black as they are over an image.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ colors: number[][], opacity: number }} settings
 */
export function drawScale(canvas, { colors, opacity }) {
  canvas.width = colors.length;
  const context = canvas.getContext("2d");
  const middle = (colors.length - 1) / 2;
  colors.forEach((color, step) => {
    const cover = opacity * Math.abs(step - middle) / middle;
    context.fillStyle = `rgb(${color.map((value) => Math.round(cover * value)).join(" ")})`;
    context.fillRect(step, 0, 1, 1);
  });
}
