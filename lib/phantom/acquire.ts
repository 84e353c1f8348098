/**
 * What a scanner makes of a slice: a little blur, the uneven sensitivity of the coil, Rician noise,
 * and 8-bit grey values.
 */
import { createRandom, type Random } from "../random.ts";

/** The peculiarities of one series. */
export interface Receiver {
  /** Grey value of the brightest fluid at the middle of the coil. */
  readonly gain: number;
  /** Bend of the contrast curve: how much brighter middle tones are; 0 leaves them as they are. */
  readonly contrast: number;
  /** Standard deviation of the noise, as a share of the brightest fluid. */
  readonly noise: number;
  /** Weights of the coil's sensitivity over x, y, x², xy and y², each of them from -1 to 1. */
  readonly bias: readonly number[];
  /** Weight of a neighbour on each side in the blur. */
  readonly blur: number;
}

/** Draws the peculiarities of a series. */
export function drawReceiver(random: Random): Receiver {
  return {
    gain: random.uniform(220, 250),
    contrast: random.uniform(-0.15, 0.15),
    noise: random.uniform(0.014, 0.03),
    bias: Array.from({ length: 5 }, (_, k) => random.uniform(-1, 1) * (k < 2 ? 0.1 : 0.09)),
    blur: random.uniform(0.1, 0.17),
  };
}

/** Entries in the table of noise: a prime, so that rows do not fall into step. */
const NOISE_COUNT = 65521;

let _noise: Float32Array | undefined;

/**
 * A table of normal noise, mean 0, standard deviation 1. Neighbours are correlated as in images
 * that are enlarged from a coarser matrix. Each row of each slice starts at an entry of its own;
 * drawing fresh numbers for every voxel would take longer than painting the knee.
 */
function _noiseTable(): Float32Array {
  if (_noise !== undefined) return _noise;
  const random = createRandom(0, "phantom noise");
  const raw = Float32Array.from({ length: NOISE_COUNT + 2 }, () => random.normal());
  const norm = 1 / Math.sqrt(0.25 * 0.25 * 2 + 0.8 * 0.8);
  _noise = Float32Array.from(
    { length: NOISE_COUNT },
    (_, k) => norm * (0.25 * raw[k] + 0.8 * raw[k + 1] + 0.25 * raw[k + 2]),
  );
  return _noise;
}

/**
 * Turns the signal of a slice into grey values.
 *
 * @param signal `[size, size]`, 0 (none) to 1 (the brightest fluid); it is overwritten by the blurred one
 * @param size rows and columns
 * @param receiver the peculiarities of the series
 * @param random where the noise of each row comes from
 * @param out `[size, size]` grey values, 0 to 255
 */
export function acquire(
  signal: Float32Array,
  size: number,
  receiver: Receiver,
  random: Random,
  out: Uint8Array,
): void {
  _blur(signal, size, receiver.blur);
  const { gain, contrast, bias } = receiver;
  const sigma = receiver.noise;
  const noise = _noiseTable();
  for (let row = 0; row < size; row++) {
    const y = (2 * row) / (size - 1) - 1;
    let real = random.integer(NOISE_COUNT);
    let imaginary = random.integer(NOISE_COUNT);
    for (let column = 0; column < size; column++) {
      const x = (2 * column) / (size - 1) - 1;
      const coil = 1 + bias[0] * x + bias[1] * y + bias[2] * x * x + bias[3] * x * y +
        bias[4] * y * y;
      const at = row * size + column;
      const s = signal[at];
      const a = s * (1 + contrast * (1 - s)) * coil + sigma * noise[real];
      const b = sigma * noise[imaginary];
      const grey = gain * Math.sqrt(a * a + b * b);
      out[at] = grey >= 255 ? 255 : Math.round(grey);
      if (++real === NOISE_COUNT) real = 0;
      if (++imaginary === NOISE_COUNT) imaginary = 0;
    }
  }
}

/** Three-tap blur along rows, then along columns. */
function _blur(values: Float32Array, size: number, side: number): void {
  const middle = 1 - 2 * side;
  for (const [line, step] of [[size, 1], [1, size]]) {
    for (let k = 0; k < size; k++) {
      let at = k * line;
      let before = values[at];
      for (let n = 0; n < size; n++, at += step) {
        const here = values[at];
        const after = n + 1 < size ? values[at + step] : here;
        values[at] = middle * here + side * (before + after);
        before = here;
      }
    }
  }
}
