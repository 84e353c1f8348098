/**
 * Where the pixels of planes lie in the patient, and what follows: the letters of an image's edges, the
 * length of a scale bar, the lines along which slices of two planes cut each other.
 *
 * @typedef {{
 *   pixel?: number,
 *   directions?: [across: number[], down: number[]],
 *   positions?: number[][],
 *   frame?: string,
 * }} Geometry as the service has it (`ExamGeometry`): directions and positions are DICOM's, to the left, to
 *   the back and to the head, in millimetres
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ geometry: Geometry, slice: number, slices: number, width: number, height: number }} Slice
 *   one slice of a plane, from 0, and how many there are of how many pixels
 */

/** What lies in the direction of each axis, and in the opposite one. */
const LETTERS = [["L", "R"], ["P", "A"], ["H", "F"]];

/** A letter's word. */
export const LETTER_WORDS = {
  ...{ L: "left", R: "right", P: "posterior", A: "anterior", H: "head", F: "feet" },
};

/** A direction leans to an axis, too, if it is so far out of the others: the sine of 15°. */
const LEANING = Math.sin(Math.PI / 12);

/** How much of a stage's width a scale bar takes at most. */
const MAX_BAR = 0.4;

/** Planes are as good as parallel if the sine between them is less. */
const PARALLEL = 0.05;

/**
 * What lies beyond the edges of an image: a letter, and a second one if it is oblique.
 *
 * @param {Geometry} [geometry]
 * @returns {{ left: string, right: string, top: string, bottom: string } | undefined} nothing if that is
 *   not known
 */
export function edgeLetters({ directions } = {}) {
  if (directions === undefined) return undefined;
  const [across, down] = directions;
  const opposite = (direction) => direction.map((each) => -each);
  return {
    ...{ left: lettersOf(opposite(across)), right: lettersOf(across) },
    ...{ top: lettersOf(opposite(down)), bottom: lettersOf(down) },
  };
}

/** The letters of a direction, that of the axis closest to it first. */
function lettersOf(direction) {
  return direction
    .map((length, axis) => ({ size: Math.abs(length), letter: LETTERS[axis][length > 0 ? 0 : 1] }))
    .filter(({ size }) => size > LEANING)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join("");
}

/**
 * A bar of a round length: 1, 2 or 5, or ten times as much, and so on.
 *
 * @param {number} seen how many millimetres of the image are seen, from edge to edge
 * @returns {{ length: number, share: number }} in millimetres, and in shares of what is seen
 */
export function scaleBar(seen) {
  const most = MAX_BAR * seen;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((each) => each * power <= most) ?? 1;
  const length = Number((step * power).toPrecision(1));
  return { length, share: length / seen };
}

/**
 * Where a slice of one plane is cut by a slice of another one: only as far as both images go.
 *
 * @param {Slice} here
 * @param {Slice} there
 * @returns {[Point, Point] | undefined} the ends of the line in pixels of the first one's image, from its
 *   left upper corner; nothing if they do not cut each other, or it is not known how they lie to each other
 */
export function cutLine(here, there) {
  if (!canCut(here.geometry, there.geometry)) return undefined;
  const [own, other] = [planeOf(here), planeOf(there)];
  const normal = cross(...there.geometry.directions);
  // The distance of a pixel from the other slice: so much at the first one, and more with each step.
  const start = dot(normal, minus(own.origin, other.origin));
  const [right, below] = own.steps.map((step) => dot(normal, step));
  const slope = Math.hypot(right, below);
  if (slope < PARALLEL * here.geometry.pixel) return undefined;
  const base = { x: -start * right / slope ** 2, y: -start * below / slope ** 2 };
  const direction = { x: -below / slope, y: right / slope };
  const position = (point) => plus(own.origin, own.steps, point);
  // Columns and rows of the other image along the line.
  const from = minus(position(base), other.origin);
  const along = plus([0, 0, 0], own.steps, direction);
  const size = there.geometry.pixel ** 2;
  const range = clipped([
    { start: base.x, step: direction.x, end: here.width },
    { start: base.y, step: direction.y, end: here.height },
    ...other.steps.map((step, axis) => ({
      ...{ start: dot(from, step) / size, step: dot(along, step) / size },
      end: axis === 0 ? there.width : there.height,
    })),
    // The centre of a pixel is half a pixel from its edge.
  ].map(({ start, ...rest }) => ({ start: start + 0.5, ...rest })));
  if (range === undefined) return undefined;
  return inOrder(range.map((way) => ({
    x: base.x + way * direction.x + 0.5,
    y: base.y + way * direction.y + 0.5,
  })));
}

/** Whether it is known how two planes lie to each other. */
export function canCut(a, b) {
  const isComplete = (geometry) =>
    geometry?.pixel > 0 && geometry.directions !== undefined && geometry.positions !== undefined;
  return isComplete(a) && isComplete(b) && a.frame !== undefined && a.frame === b.frame;
}

/**
 * The stretch of a line that lies within a rectangle.
 *
 * @param {[Point, Point]} line
 * @param {number} width of the rectangle, which begins at 0
 * @param {number} height
 * @returns {[Point, Point] | undefined} nothing if it lies outside
 */
export function within([from, to], width, height) {
  const step = { x: to.x - from.x, y: to.y - from.y };
  const range = clipped([
    { start: from.x, step: step.x, end: width },
    { start: from.y, step: step.y, end: height },
    { start: 0, step: 1, end: 1 },
  ]);
  return range?.map((way) => ({ x: from.x + way * step.x, y: from.y + way * step.y }));
}

/** From where to where all of them, `start + way * step`, are between 0 and their end. */
function clipped(axes) {
  let [first, last] = [-Infinity, Infinity];
  for (const { start, step, end } of axes) {
    if (Math.abs(step) < 1e-9) {
      if (start < 0 || start > end) return undefined;
      continue;
    }
    const [one, other] = [-start / step, (end - start) / step];
    first = Math.max(first, Math.min(one, other));
    last = Math.min(last, Math.max(one, other));
  }
  return first < last ? [first, last] : undefined;
}

/** The left end first, or the upper one of a line that is steep. */
function inOrder([a, b]) {
  const isSteep = Math.abs(b.y - a.y) > Math.abs(b.x - a.x);
  return (isSteep ? a.y <= b.y : a.x <= b.x) ? [a, b] : [b, a];
}

/** Where the centre of a slice's first pixel is, and the steps to the next column and the next row. */
function planeOf({ geometry: { pixel, directions, positions }, slice, slices }) {
  const steps = directions.map((direction) => direction.map((each) => pixel * each));
  if (positions.length === slices) return { origin: positions[slice], steps };
  const [first, last] = positions;
  const share = slice / (slices - 1);
  return { origin: first.map((each, axis) => each + share * (last[axis] - each)), steps };
}

function plus(origin, [across, down], { x, y }) {
  return origin.map((each, axis) => each + x * across[axis] + y * down[axis]);
}

function minus(a, b) {
  return a.map((each, axis) => each - b[axis]);
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
