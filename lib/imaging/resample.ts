/**
 * Slices of any size as square ones of square pixels: padded to a square, averaged where pixels get
 * larger, interpolated where they get smaller.
 *
 * @module
 */

/** A slice and the size of its pixels. */
export interface SliceGrid {
  readonly rows: number;
  readonly columns: number;
  /** Distance of rows and of columns; only their ratio to each other counts. */
  readonly spacing: readonly [number, number];
}

/** For each pixel along an axis of the result: which pixels it is made of, and how much of each. */
type Weights = readonly (readonly (readonly [index: number, weight: number])[])[];

/** Makes slices of one grid square. */
export class SquareResampler {
  readonly #size: number;
  readonly #grid: SliceGrid;
  readonly #down: Weights;
  readonly #across: Weights;

  /** @param size rows and columns of the result */
  constructor(grid: SliceGrid, size: number) {
    this.#grid = grid;
    this.#size = size;
    const [dy, dx] = grid.spacing;
    const side = Math.max(grid.rows * dy, grid.columns * dx);
    this.#down = _weights(grid.rows, side / dy, size);
    this.#across = _weights(grid.columns, side / dx, size);
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
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < size; column++) {
        wide[row * size + column] = _weighted(
          this.#across[column],
          (index) => values[row * columns + index],
          outside,
        );
      }
    }
    const square = new Float64Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        square[row * size + column] = _weighted(
          this.#down[row],
          (index) => wide[index * size + column],
          outside,
        );
      }
    }
    return square;
  }
}

function _weighted(
  weights: Weights[number],
  value: (index: number) => number,
  outside: number,
): number {
  let sum = 0;
  let rest = 1;
  for (const [index, weight] of weights) {
    sum += weight * value(index);
    rest -= weight;
  }
  // What lies beyond the slice counts as padding; less than this is rounding.
  return rest > 1e-9 ? sum + rest * outside : sum;
}

/**
 * @param count pixels of the slice along the axis
 * @param length of the padded square along it, in those pixels
 * @param size pixels of the result
 */
function _weights(count: number, length: number, size: number): Weights {
  const step = length / size;
  // Whole pixels, so that a slice that only needs padding stays sharp.
  const offset = Math.floor((length - count) / 2);
  return Array.from({ length: size }, (_, out) => {
    const begin = out * step - offset;
    return step > 1
      ? _covered(begin, begin + step, count)
      : _between(begin + step / 2 - 0.5, count);
  });
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

/** The two pixels whose centres a place lies between; within half a pixel of the border, the border. */
function _between(place: number, count: number): [number, number][] {
  if (place < -0.5 || place > count - 0.5) return [];
  const at = Math.min(Math.max(place, 0), count - 1);
  const index = Math.floor(at);
  const share = at - index;
  return share === 0 ? [[index, 1]] : [[index, 1 - share], [index + 1, share]];
}
