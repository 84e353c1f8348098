/** Which slices of a plane decided: the strip above its slider, and their names below it. */
import { signed } from "./heat_map.js";

/** How many of the slices that decided are named. */
const MAX_NAMED = 3;

/** How high the strip is. */
const HEIGHT = 28;

/** Half of a slider's thumb: a range runs from there to as far before its end. */
const INSET = 8;

/**
 * Draws a column for each slice that decided: above the line for the finding, below it against, in the
 * heat map's colours and on black as that is.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ slices: number, slice: number, shares: number[] }} of how many there are, the one on show,
 *   and what each adds to the logit
 */
export function drawMarks(canvas, { slices, slice: shown, shares }) {
  const ratio = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.round(HEIGHT * ratio);
  if (slices === 0) return;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const inset = INSET * ratio;
  const step = slices > 1 ? (canvas.width - 2 * inset) / (slices - 1) : 0;
  const middle = canvas.height / 2;
  context.fillStyle = "#6a6f79";
  context.fillRect(inset, middle - ratio / 2, canvas.width - 2 * inset, ratio);
  const largest = Math.max(...shares.map(Math.abs), 1e-12);
  const width = Math.max(2 * ratio, Math.min(step * 0.6, 9 * ratio));
  shares.forEach((share, slice) => {
    if (share === 0) return;
    const length = Math.max(ratio, Math.abs(share) / largest * (middle - 2 * ratio));
    context.fillStyle = style.getPropertyValue(share > 0 ? "--for" : "--against");
    const y = share > 0 ? middle - length : middle;
    context.fillRect(inset + slice * step - width / 2, y, width, length);
  });
  context.fillStyle = "#fff";
  context.fillRect(inset + shown * step - ratio, canvas.height - 3 * ratio, 2 * ratio, 3 * ratio);
}

/** The slices that decided most, the one with the largest share first. */
export function decidersOf(shares) {
  return shares
    .map((share, slice) => ({ share, slice }))
    .filter(({ share }) => share !== 0)
    .sort((a, b) => Math.abs(b.share) - Math.abs(a.share))
    .slice(0, MAX_NAMED);
}

/**
 * A button for each of them, behind what they are.
 *
 * @param {number[]} shares
 * @param {string} plane
 * @param {(slice: number) => void} onChoose
 * @returns {(string | HTMLButtonElement)[]}
 */
export function namesOf(shares, plane, onChoose) {
  const buttons = decidersOf(shares).map(({ share, slice }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = share > 0 ? "for" : "against";
    button.textContent = `${slice + 1}: ${signed(share)}`;
    // What is to be seen stands first, for those who speak to their machine.
    button.setAttribute("aria-label", `${button.textContent}, go to this ${plane} slice`);
    button.addEventListener("click", () => onChoose(slice));
    return button;
  });
  return buttons.length > 0 ? ["Decided by", ...buttons] : [];
}
