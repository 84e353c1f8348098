/**
 * Slices of any size as square ones of square pixels: padded to a square, averaged if pixels get
 * larger, interpolated if they get smaller.
 */

/** A slice and the size of its pixels. */
export interface SliceGrid {
  readonly rows: number;
  readonly columns: number;
  /** Distance of rows and of columns; only their ratio to each other counts. */
  readonly spacing: readonly [number, number];
}

/** Where the pixels of the square lie among those of the slice. */
export interface SquareGrid {
  /** The side of a pixel of the square, in the unit of the slice's spacing. */
  readonly pixel: number;
  /** On which row of the slice the centre of the square's first pixel lies; less than 0 in the padding. */
  readonly firstRow: number;
  /** On which column it lies. */
  readonly firstColumn: number;
}

/**
 * Where {@linkcode SquareResampler} puts the pixels of a square.
 *
 * @param size rows and columns of the square
 */
export function squareGrid(grid: SliceGrid, size: number): SquareGrid {
  const [dy, dx] = grid.spacing;
  const side = _sideOf(grid);
  const first = (count: number, length: number) => length / size / 2 - 0.5 - _offset(count, length);
  return {
    pixel: side / size,
    firstRow: first(grid.rows, side / dy),
    firstColumn: first(grid.columns, side / dx),
  };
}

/** What a pixel of the result is made of along an axis. */
interface Share {
  /** The first pixel that it is made of. */
  readonly first: number;
  /** How much of that one and of those after it. */
  readonly weights: Float64Array;
  /** How much of it lies beyond the slice. */
  readonly outside: number;
}

/** Makes slices of one grid square. */
export class SquareResampler {
  readonly #size: number;
  readonly #grid: SliceGrid;
  readonly #down: readonly Share[];
  readonly #across: readonly Share[];

  /** @param size rows and columns of the result */
  constructor(grid: SliceGrid, size: number) {
    this.#grid = grid;
    this.#size = size;
    const [dy, dx] = grid.spacing;
    const side = _sideOf(grid);
    this.#down = _shares(grid.rows, side / dy, size);
    this.#across = _shares(grid.columns, side / dx, size);
  }

  /** True if a slice stays as it is. */
  get isIdentity(): boolean {
    const { rows, columns, spacing: [dy, dx] } = this.#grid;
    return rows === this.#size && columns === this.#size && dy === dx;
  }

  /**
   * Resamples a slice.
   *
   * @param values of the grid, rows one after the other
   * @param outside the value of what was padded
   */
  resample(values: Float64Array, outside: number): Float64Array {
    if (this.isIdentity) return values;
    const { rows, columns } = this.#grid;
    const size = this.#size;
    const wide = new Float64Array(rows * size);
    _along(this.#across, outside, {
      ...{ from: values, into: wide, lines: rows },
      ...{ fromLine: columns, fromStep: 1, intoLine: size, intoStep: 1 },
    });
    const square = new Float64Array(size * size);
    _along(this.#down, outside, {
      ...{ from: wide, into: square, lines: size },
      ...{ fromLine: 1, fromStep: size, intoLine: 1, intoStep: size },
    });
    return square;
  }
}

/** Lines of pixels, and how far it is from one to the next and from pixel to pixel. */
interface Lines {
  from: Float64Array;
  into: Float64Array;
  lines: number;
  fromLine: number;
  fromStep: number;
  intoLine: number;
  intoStep: number;
}

/** Resamples every line. */
function _along(
  shares: readonly Share[],
  outsideValue: number,
  { from, into, lines, fromLine, fromStep, intoLine, intoStep }: Lines,
): void {
  for (const [out, { first, weights, outside }] of shares.entries()) {
    const start = first * fromStep;
    const beyond = outside * outsideValue;
    for (let line = 0; line < lines; line++) {
      let at = line * fromLine + start;
      let sum = 0;
      for (let i = 0; i < weights.length; i++, at += fromStep) sum += weights[i] * from[at];
      into[line * intoLine + out * intoStep] = outside > 0 ? sum + beyond : sum;
    }
  }
}

/** How long the square is. */
function _sideOf({ rows, columns, spacing: [dy, dx] }: SliceGrid): number {
  return Math.max(rows * dy, columns * dx);
}

/** How many pixels are padded before the first: whole ones, so that a slice of which no more is done stays sharp. */
function _offset(count: number, length: number): number {
  return Math.floor((length - count) / 2);
}

/**
 * @param count pixels of the slice along the axis
 * @param length of the padded square along it, in those pixels
 * @param size pixels of the result
 */
function _shares(count: number, length: number, size: number): Share[] {
  const step = length / size;
  const offset = _offset(count, length);
  return Array.from({ length: size }, (_, out) => {
    const begin = out * step - offset;
    return _share(
      step > 1 ? _covered(begin, begin + step, count) : _between(begin + step / 2 - 0.5, count),
    );
  });
}

function _share(pixels: readonly (readonly [index: number, weight: number])[]): Share {
  const weights = Float64Array.from(pixels, ([, weight]) => weight);
  const rest = weights.reduce((rest, weight) => rest - weight, 1);
  // Less than this is rounding.
  return { first: pixels[0]?.[0] ?? 0, weights, outside: rest > 1e-9 ? rest : 0 };
}

/** The pixels that an interval covers, each by its share of the interval. */
function _covered(begin: number, end: number, count: number): [number, number][] {
  const covered: [number, number][] = [];
  const first = Math.max(0, Math.floor(begin));
  for (let index = first; index < Math.min(count, Math.ceil(end)); index++) {
    const shared = Math.min(end, index + 1) - Math.max(begin, index);
    if (shared > 0) covered.push([index, shared / (end - begin)]);
  }
  return covered;
}

/** The two pixels whose centres a position lies between; within half a pixel of the border, the border. */
function _between(position: number, count: number): [number, number][] {
  if (position < -0.5 || position > count - 0.5) return [];
  const at = Math.min(Math.max(position, 0), count - 1);
  const index = Math.floor(at);
  const share = at - index;
  return share === 0 ? [[index, 1]] : [[index, 1 - share], [index + 1, share]];
}
