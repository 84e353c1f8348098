/** The stage of a plane, where its image is: what wheel and pointer do there, and the cursor. */

/** Pixels of the wheel's way for a slice; a notch of a mouse's wheel is some 100. */
const WHEEL_STEP = 60;

/** The most that one event of the wheel zooms by, in pixels of its way: a pinch on a touchpad has few. */
const MAX_ZOOM_STEP = 25;

/** How much a pixel of the wheel's way zooms. */
const ZOOM_A_PIXEL = 0.01;

/** Pixels of a line, where a browser counts the wheel's way in lines. */
const LINE = 16;

/**
 * Tells what wheel and pointer do on a stage.
 *
 * @param {HTMLElement} stage
 * @param {object} on
 * @param {(slices: number) => void} on.leaf the wheel goes on or back by so many slices
 * @param {() => void} on.grab the pointer goes down
 * @param {(event: PointerEvent) => void} on.point the pointer moves, dragging or not
 * @param {(right: number, down: number) => void} on.drag how far, in pixels of the page
 * @param {(right: number, down: number) => void} on.move the image is to be moved so far, in shares of the
 *   stage
 * @param {(factor: number, around: { right: number, down: number }) => void} on.zoom by wheel or fingers,
 *   around a point, from the stage's middle in its shares
 * @param {() => boolean} on.isZoomed whether a finger alone moves the image
 * @param {() => void} on.leave the pointer goes elsewhere
 * @param {() => void} on.enlarge a double click
 */
export function listenToStage(stage, on) {
  let wheel = 0;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const way = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE * event.deltaY : event.deltaY;
    // So comes a pinch on a touchpad, too.
    if (event.ctrlKey) {
      const step = Math.min(Math.max(way, -MAX_ZOOM_STEP), MAX_ZOOM_STEP);
      return on.zoom(Math.exp(-step * ZOOM_A_PIXEL), pointOn(stage, event));
    }
    wheel += way;
    const slices = Math.trunc(wheel / WHEEL_STEP);
    if (slices === 0) return;
    wheel -= slices * WHEEL_STEP;
    on.leaf(slices);
  }, { passive: false });
  /** Fingers that are down. */
  const fingers = new Map();
  let dragged;
  stage.addEventListener("pointerdown", (event) => {
    if (isControl(event)) return;
    if (event.pointerType === "touch") fingers.set(event.pointerId, positionOf(event));
    // A second finger ends what the first one did.
    dragged = undefined;
    if (fingers.size > 1) return;
    const isMiddle = event.button === 1;
    if (!event.isPrimary || (event.button !== 0 && !isMiddle)) return;
    dragged = { ...positionOf(event), moves: isMiddle || event.shiftKey };
    stage.setPointerCapture(event.pointerId);
    on.grab();
  });
  stage.addEventListener("pointermove", (event) => {
    if (fingers.size === 2 && fingers.has(event.pointerId)) return pinch(event);
    if ((event.buttons & 5) === 0) dragged = undefined;
    if (dragged !== undefined) dragOn(event);
    // Behind what moves the image.
    on.point(event);
  });
  const dragOn = (event) => {
    const isTouch = event.pointerType === "touch";
    const [right, down] = [event.clientX - dragged.x, event.clientY - dragged.y];
    if (dragged.moves || (isTouch && on.isZoomed())) moveBy(right, down);
    // A finger that goes up or down scrolls the page.
    else on.drag(right, isTouch ? 0 : down);
    Object.assign(dragged, positionOf(event));
  };
  const moveBy = (right, down) => on.move(right / stage.clientWidth, down / stage.clientHeight);
  const pinch = (event) => {
    const before = between([...fingers.values()]);
    fingers.set(event.pointerId, positionOf(event));
    const now = between([...fingers.values()]);
    if (before.apart > 0) {
      on.zoom(now.apart / before.apart, pointOn(stage, { clientX: now.x, clientY: now.y }));
    }
    moveBy(now.x - before.x, now.y - before.y);
  };
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      dragged = undefined;
    });
  }
  // Two fingers are for the image alone, not for scrolling.
  const keepTwo = (event) => event.touches.length > 1 && event.preventDefault();
  for (const touch of ["touchstart", "touchmove"]) {
    stage.addEventListener(touch, keepTwo, { passive: false });
  }
  // The middle button would begin to scroll.
  stage.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault());
  stage.addEventListener("pointerleave", () => on.leave());
  stage.addEventListener("dblclick", (event) => !isControl(event) && on.enlarge());
}

/** Whether a button on the stage is meant. */
function isControl({ target }) {
  return target.closest("button") !== null;
}

function positionOf({ clientX, clientY }) {
  return { x: clientX, y: clientY };
}

/** The middle of two fingers, and how far they are apart. */
function between([a, b]) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
}

/** Where a pointer is, from the stage's middle in shares of the stage. */
function pointOn(stage, { clientX, clientY }) {
  const box = stage.getBoundingClientRect();
  return {
    right: (clientX - box.left) / box.width - 0.5,
    down: (clientY - box.top) / box.height - 0.5,
  };
}

/**
 * Which pixel of the image, which keeps its proportions within its canvas, a pointer is on.
 *
 * @returns {{ x: number, y: number } | undefined} nothing beside the image
 */
export function pixelAt(canvas, { width, height }, { clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
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

/** Draws a frame around a pixel. */
export function drawCursor(context, { x, y }) {
  context.strokeStyle = "#ffe14d";
  context.lineWidth = 1;
  context.strokeRect(x - 2.5, y - 2.5, 6, 6);
}
