/** The values of a scanner as grey values of 0 to 255. */
import { END_PERCENTILES } from "../data/landmarks.ts";
import { percentile, type Sorted } from "../data/percentile.ts";

/** Values as they are stored. */
export type StoredValues =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** A slice as it is stored, and what its values mean. */
export interface GreySlice {
  readonly stored: StoredValues;
  /** A value is stored × slope + intercept. */
  readonly slope: number;
  readonly intercept: number;
  /** True if high values are dark (MONOCHROME1). */
  readonly inverted: boolean;
  /** Stored values from here to there do not belong to the image. */
  readonly padding?: readonly [number, number];
}

/** The values that become 0 and 255. */
export interface GreyWindow {
  readonly low: number;
  readonly high: number;
}

/** What a stored value means; dark is low, whatever the photometric interpretation. */
export function greyValue(stored: number, { slope, intercept, inverted }: GreySlice): number {
  const value = stored * slope + intercept;
  return inverted ? -value : value;
}

/**
 * The window of an exam: percentiles of all its values, as NumPy's `percentile` has them. Values of
 * padding do not count. If all is padding, the window is empty: `low` and `high` are 0.
 */
export function windowOf(slices: readonly GreySlice[]): GreyWindow {
  const values = _sortedValues(slices);
  const [low, high] = END_PERCENTILES.map((percent) => percentile(values, percent));
  return { low, high };
}

/**
 * Values as bytes: linear in the window, rounded half to even, cut off at 0 and 255. An empty window
 * gives zeros.
 */
export function quantise(values: Float64Array, { low, high }: GreyWindow): Uint8Array {
  // A clamped array rounds and cuts off just so.
  const bytes = new Uint8ClampedArray(values.length);
  const width = high - low;
  if (width > 0) {
    for (let i = 0; i < values.length; i++) bytes[i] = (values[i] - low) * 255 / width;
  }
  return new Uint8Array(bytes.buffer);
}

/** Sorted by counting if all slices mean the same by a stored value, as nearly all exams do. */
function _sortedValues(slices: readonly GreySlice[]): Sorted {
  const [first] = slices;
  const alike = slices.every((each) =>
    _isSmall(each.stored) && each.slope === first.slope && each.intercept === first.intercept &&
    each.inverted === first.inverted
  );
  const rising = first.inverted ? first.slope < 0 : first.slope > 0;
  return alike && rising ? _counted(slices) : _sorted(slices);
}

/** The range of stored values. */
const LOWEST = -32768;
const VALUES = 98304;

/** Whether all values of a kind lie within {@linkcode LOWEST} and {@linkcode VALUES}. */
function _isSmall(stored: StoredValues): boolean {
  return stored.BYTES_PER_ELEMENT <= 2;
}

function _counted(slices: readonly GreySlice[]): Sorted {
  const below = new Uint32Array(VALUES + 1);
  for (const { stored, padding } of slices) {
    for (let i = 0; i < stored.length; i++) {
      if (!_isPadding(stored[i], padding)) below[stored[i] - LOWEST + 1]++;
    }
  }
  for (let value = 0; value < VALUES; value++) below[value + 1] += below[value];
  const [meaning] = slices;
  const at = (index: number) => {
    // The last value with no more than `index` values below it.
    let [from, to] = [0, VALUES];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (below[middle] <= index) from = middle;
      else to = middle;
    }
    return greyValue(from + LOWEST, meaning);
  };
  return { length: below[VALUES], at };
}

/** Into how many bins values are sorted first. */
const BINS = 65536;

/** Values are counted in bins, and those of a bin sorted when one of them is asked for. */
function _sorted(slices: readonly GreySlice[]): Sorted {
  let [length, least, most] = [0, Infinity, -Infinity];
  _visit(slices, (value) => {
    length++;
    least = Math.min(least, value);
    most = Math.max(most, value);
  });
  if (!(most > least)) return { length, at: () => least };
  const scale = (BINS - 1) / (most - least);
  const binOf = (value: number) => Math.floor((value - least) * scale);
  const below = new Uint32Array(BINS + 1);
  _visit(slices, (value) => below[binOf(value) + 1]++);
  for (let bin = 0; bin < BINS; bin++) below[bin + 1] += below[bin];
  const bins = new Map<number, Float64Array>();
  const at = (index: number) => {
    const bin = below.findIndex((count) => count > index) - 1;
    let values = bins.get(bin);
    if (values === undefined) {
      values = new Float64Array(below[bin + 1] - below[bin]);
      let count = 0;
      _visit(slices, (value) => {
        if (binOf(value) === bin) values![count++] = value;
      });
      bins.set(bin, values.sort());
    }
    return values[index - below[bin]];
  };
  return { length, at };
}

/** Visits every value that is none of padding. */
function _visit(slices: readonly GreySlice[], visit: (value: number) => void): void {
  for (const slice of slices) {
    const { stored, padding } = slice;
    for (let i = 0; i < stored.length; i++) {
      if (!_isPadding(stored[i], padding)) visit(greyValue(stored[i], slice));
    }
  }
}

function _isPadding(stored: number, padding: GreySlice["padding"]): boolean {
  return padding !== undefined && stored >= padding[0] && stored <= padding[1];
}

/** The values of a slice, with `low` for padding. */
export function valuesOf(slice: GreySlice, { low }: GreyWindow): Float64Array {
  const values = new Float64Array(slice.stored.length);
  for (let i = 0; i < values.length; i++) {
    const stored = slice.stored[i];
    values[i] = _isPadding(stored, slice.padding) ? low : greyValue(stored, slice);
  }
  return values;
}
