/**
 * How far Winograd's convolutions of noise are from the exact ones, by their points and by how long sums are
 * formed: `deno run bench/winograd_points.ts`.
 *
 * All is rounded to float32 as the kernels do, without their fused multiply-adds.
 */
import { createRandom } from "../lib/random.ts";

/** Sums over so many input channels. */
const CHANNELS = 256;

/** Tiles of random numbers that an error is measured on. */
const TILES = 200;

/** A choice of points, all but infinity. */
interface Choice {
  outputs: number;
  taps: number;
  points: readonly number[];
}

const CHOICES: readonly Choice[] = [
  { outputs: 4, taps: 3, points: [0, 1, -1, 2, -2] },
  { outputs: 4, taps: 3, points: [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2] },
  { outputs: 5, taps: 3, points: [0, 1, -1, 2, -2, -1 / 2] },
  { outputs: 5, taps: 3, points: [0, 1, -1, 2, -2, 3 / 8] },
  { outputs: 4, taps: 5, points: [0, 1, -1, 2, -2, 1 / 2, -1 / 2] },
];

type Matrix = readonly (readonly number[])[];

/** `Aᵀ`, `G` and `Bᵀ` of a choice, by Lagrange's interpolation. */
function matricesOf({ outputs, taps, points }: Choice): { a: Matrix; g: Matrix; b: Matrix } {
  const side = points.length + 1;
  /** The coefficients of the product of `x − p` over all points but one, or over all. */
  const product = (left?: number) =>
    points.reduce<number[]>((coefficients, point, index) => {
      if (index === left) return coefficients;
      const next = [0, ...coefficients];
      coefficients.forEach((value, power) => next[power] -= point * value);
      return next;
    }, [1]);
  const padded = (row: number[]) => [...row, ...new Array(side - row.length).fill(0)];
  const distance = (index: number) =>
    points.reduce((all, point, other) => other === index ? all : all * (points[index] - point), 1);
  const powers = (point: number, count: number) =>
    Array.from({ length: count }, (_, power) => point ** power);
  const end = (count: number) =>
    Array.from({ length: count }, (_, index) => +(index + 1 === count));
  return {
    b: [...points.map((_, index) => padded(product(index))), product()],
    g: [
      ...points.map((point, index) => powers(point, taps).map((value) => value / distance(index))),
      end(taps),
    ],
    a: Array.from({ length: outputs }, (_, power) => [
      ...points.map((point) => point ** power),
      +(power + 1 === outputs),
    ]),
  };
}

/** `m·x·mᵀ` in float32, of a square `x`. */
function transform(m: Matrix, x: Float32Array): Float32Array {
  const [rows, size] = [m.length, m[0].length];
  const times = (of: (index: number) => number, row: readonly number[]) =>
    row.reduce(
      (sum, value, index) => Math.fround(sum + Math.fround(Math.fround(value) * of(index))),
      0,
    );
  const half = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < size; column++) {
      half[row * size + column] = times((index) => x[index * size + column], m[row]);
    }
  }
  const out = new Float32Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < rows; column++) {
      out[row * rows + column] = times((index) => half[row * size + index], m[column]);
    }
  }
  return out;
}

/** The errors of a choice as shares of the exact outputs' root mean square. */
function errorsOf(choice: Choice, block: number): { rms: number; most: number } {
  const { outputs, taps } = choice;
  const { a, g, b } = matricesOf(choice);
  const side = outputs + taps - 1;
  const random = createRandom(1, "points");
  const noise = (count: number, least: number) =>
    Float32Array.from({ length: count }, () => Math.max(least, random.normal()));
  const filters = Array.from({ length: CHANNELS }, () => noise(taps ** 2, -Infinity));
  const transformed = filters.map((filter) => transform(g, filter));
  let [squares, errors, most] = [0, 0, 0];
  for (let tile = 0; tile < TILES; tile++) {
    const exact = new Float64Array(outputs ** 2);
    const all = new Float32Array(side ** 2);
    for (let first = 0; first < CHANNELS; first += block) {
      const sums = new Float32Array(side ** 2);
      for (let channel = first; channel < Math.min(CHANNELS, first + block); channel++) {
        // As behind a ReLU.
        const image = noise(side ** 2, 0);
        const factor = transform(b, image);
        sums.forEach((sum, index) =>
          sums[index] = sum + factor[index] * transformed[channel][index]
        );
        exact.forEach((_, index) => {
          const [y, x] = [Math.floor(index / outputs), index % outputs];
          filters[channel].forEach((weight, tap) => {
            exact[index] += weight * image[(y + Math.floor(tap / taps)) * side + x + tap % taps];
          });
        });
      }
      sums.forEach((sum, index) => all[index] += sum);
    }
    transform(a, all).forEach((value, index) => {
      const error = Math.abs(value - exact[index]);
      squares += exact[index] ** 2;
      errors += error ** 2;
      most = Math.max(most, error);
    });
  }
  const scale = Math.sqrt(squares / TILES / outputs ** 2);
  return { rms: Math.sqrt(errors / squares), most: most / scale };
}

function print(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}

print(`Sums over ${CHANNELS} channels of noise; errors as shares of the outputs' root mean square`);
print("outputs taps points                             at once  rms error  largest");
for (const choice of CHOICES) {
  for (const block of [CHANNELS, 32]) {
    const { rms, most } = errorsOf(choice, block);
    const cells = [
      `${choice.outputs}×${choice.outputs}`.padEnd(7),
      `${choice.taps}×${choice.taps} `,
      choice.points.join(" ").padEnd(34),
      `${block}`.padStart(7),
      rms.toExponential(1).padStart(10),
      most.toExponential(1).padStart(8),
    ];
    print(cells.join(" "));
  }
}
