/** The standard normal distribution, to the last digits of double precision. */

/** Beyond it 0.5 and the series would cancel each other's digits. */
const SERIES_UP_TO = 1;

/** From {@linkcode SERIES_UP_TO} on the continued fraction has all its digits by then. */
const FRACTION_TERMS = 300;

/**
 * The share of a standard normal distribution that lies below a value.
 *
 * Near 0 it is the series of Marsaglia (2004, doi:10.18637/jss.v011.i04), whose terms all have one
 * sign; in the tails Laplace's continued fraction, so that a tail of 1e-300 still has its digits.
 *
 * @param z any number, infinities included
 * @returns 0 to 1
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return NaN;
  if (Math.abs(z) <= SERIES_UP_TO) return 0.5 + _density(z) * _series(z);
  return z < 0 ? _upperTail(-z) : 1 - _upperTail(z);
}

/**
 * The value below which a share of a standard normal distribution lies, the inverse of
 * {@linkcode normalCdf}.
 *
 * @param p 0 to 1; 0 and 1 give the infinities
 * @throws {RangeError} if the share is outside 0–1
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`A share must be in 0–1: current value is ${p}`);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0.5) return 0;
  // Newton's method on the logarithm, which is concave: from the left it rises to the root and never
  // past it. The start is on the left, for the tail beyond x is at most exp(-x²/2)/2.
  let z = -Math.sqrt(-2 * Math.log(p));
  for (;;) {
    const below = normalCdf(z);
    const step = Math.log(p / below) * below / _density(z);
    if (!(step > Math.abs(z) * Number.EPSILON)) return z;
    z += step;
  }
}

/** The chance of a value at least so far from 0, on either side: the p value of a z statistic. */
export function twoSidedP(z: number): number {
  return 2 * normalCdf(-Math.abs(z));
}

function _density(z: number): number {
  // The square is split, or its rounding error is magnified by the exponential.
  const coarse = Math.trunc(z * 16) / 16;
  return Math.exp(-coarse * coarse / 2) * Math.exp(-(z - coarse) * (z + coarse) / 2) /
    Math.sqrt(2 * Math.PI);
}

/** z + z³/3 + z⁵/(3·5) + … */
function _series(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * Number.EPSILON / 2; odd += 2) {
    term *= z * z / odd;
    sum += term;
  }
  return sum;
}

/** The share above a value of at least {@linkcode SERIES_UP_TO}: density / (z + 1/(z + 2/(z + …))). */
function _upperTail(z: number): number {
  if (z === Infinity) return 0;
  let fraction = z;
  for (let k = FRACTION_TERMS; k >= 1; k--) fraction = z + k / fraction;
  return _density(z) / fraction;
}
