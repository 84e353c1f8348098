/**
 * Reproducible random numbers.
 *
 * A generator is addressed by a seed and a path, such as `createRandom(7, "shuffle", 3)` for the
 * order of epoch 3. Nothing is carried from one use to the next, so a run that is resumed at epoch 3
 * draws what it would have drawn, and adding a use somewhere does not shift the others.
 *
 * Without a path the stream is the Mersenne Twister of that seed, and {@linkcode Random.uniform}
 * gives the numbers of `torch.manual_seed(seed); torch.rand(n)`.
 */
import { mersenne } from "npm:pure-rand@8.4.2/generator/mersenne";

/** A stream of random numbers. */
export interface Random {
  /** The next 32 random bits, as an unsigned integer. */
  bits(): number;
  /** Uniform in `[low, high)`, with 24 bits of resolution; `[0, 1)` by default. */
  uniform(low?: number, high?: number): number;
  /** A whole number, uniform in `[0, count)`. */
  integer(count: number): number;
  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number;
  /** Puts the items of an array in random order, in place (Fisher and Yates), and returns it. */
  shuffle<T>(items: T[]): T[];
}

/** 32-bit FNV-1a over the text of a path, finished so that near paths give far seeds. */
function mix(seed: number, path: readonly (string | number)[]): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (const name of path) {
    for (const byte of new TextEncoder().encode(`/${name}`)) {
      hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Makes the stream of a seed and a path.
 *
 * @param seed a whole number; its low 32 bits are used
 * @param path names and numbers that say what the stream is for
 *
 * @example
 * ```ts
 * import { createRandom } from "./random.ts";
 * const order = createRandom(7, "shuffle", 0).shuffle([1, 2, 3]);
 * console.assert(order.length === 3);
 * ```
 */
export function createRandom(seed: number, ...path: (string | number)[]): Random {
  const generator = mersenne(path.length === 0 ? seed >>> 0 : mix(seed >>> 0, path));
  const bits = () => generator.next() >>> 0;
  const uniform = (low = 0, high = 1) => low + (high - low) * ((bits() & 0xffffff) / 0x1000000);
  const integer = (count: number) => Math.floor((bits() / 0x100000000) * count);
  return {
    bits,
    uniform,
    integer,
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    shuffle(items) {
      for (let last = items.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [items[last], items[other]] = [items[other], items[last]];
      }
      return items;
    },
  };
}

/** A seed for a run that was given none. */
export function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
