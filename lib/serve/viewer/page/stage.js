/** The stage of a plane, where its image is: what wheel and pointer do there, and the cursor. */

/** Pixels of the wheel's way for a slice; a notch of a mouse's wheel is some 100. */
const WHEEL_STEP = 60;

/**
 * Tells what wheel and pointer do on a stage.
 *
 * @param {HTMLElement} stage
 * @param {object} on
 * @param {(slices: number) => void} on.leaf the wheel goes on or back by so many slices
 * @param {() => void} on.grab the pointer goes down
 * @param {(event: PointerEvent) => void} on.point the pointer moves, dragging or not
 * @param {(right: number, down: number) => void} on.drag how far, in pixels of the page
 * @param {() => void} on.leave the pointer goes elsewhere
 * @param {() => void} on.reset a double click
 */
export function listenToStage(stage, on) {
  let wheel = 0;
  stage.addEventListener("wheel", (event) => {
    // That is the browser's own zoom.
    if (event.ctrlKey) return;
    event.preventDefault();
    wheel += event.deltaY;
    const slices = Math.trunc(wheel / WHEEL_STEP);
    if (slices === 0) return;
    wheel -= slices * WHEEL_STEP;
    on.leaf(slices);
  }, { passive: false });
  let dragged;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    dragged = { x: event.clientX, y: event.clientY };
    stage.setPointerCapture(event.pointerId);
    on.grab();
  });
  stage.addEventListener("pointermove", (event) => {
    on.point(event);
    if ((event.buttons & 1) === 0) dragged = undefined;
    if (dragged === undefined) return;
    // A finger that goes up or down scrolls the page.
    const down = event.pointerType === "touch" ? 0 : event.clientY - dragged.y;
    on.drag(event.clientX - dragged.x, down);
    dragged = { x: event.clientX, y: event.clientY };
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, () => dragged = undefined);
  }
  stage.addEventListener("pointerleave", () => on.leave());
  stage.addEventListener("dblclick", () => on.reset());
}

/**
 * Which pixel of the image, which keeps its proportions within the stage, a pointer is on.
 *
 * @returns {{ x: number, y: number } | undefined} nothing beside the image
 */
export function pixelAt(stage, { width, height }, { clientX, clientY }) {
  const box = stage.getBoundingClientRect();
  const scale = Math.min(box.width / width, box.height / height);
  const x = Math.floor((clientX - box.left - (box.width - width * scale) / 2) / scale);
  const y = Math.floor((clientY - box.top - (box.height - height * scale) / 2) / scale);
  return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : undefined;
}

/** What a pixel's value is, in words. */
export function pixelWords(voxels, width, { x, y }) {
  const value = voxels[y * width + x];
  const shown = Number.isInteger(value) ? value : value.toPrecision(5);
  return `Value ${shown} at column ${x}, row ${y}`;
}

/** What brightness and contrast are, in words. */
export function windowWords({ black, white }) {
  const round = (value) => Math.round(value * 10) / 10;
  return `Contrast ${round(white - black)} · brightness ${round((white + black) / 2)}`;
}

/** Draws a frame around a pixel. */
export function drawCursor(context, { x, y }) {
  context.strokeStyle = "#ffe14d";
  context.lineWidth = 1;
  context.strokeRect(x - 2.5, y - 2.5, 6, 6);
}
