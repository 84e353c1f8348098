/**
 * The colour map of the overlays: diverging, because a pixel may speak for the finding or against it.
 *
 * One arm goes from dark red over orange to light yellow, the other from dark blue over azure to light
 * cyan. Every common kind of colour vision can tell them apart. Each is a straight line in Oklab, so equal
 * steps of a value are equal steps to the eye. Both have the same lightness, so neither looks stronger.
 * The ends were chosen for this toolkit. Oklab: B. Ottosson, 2020,
 * https://bottosson.github.io/posts/oklab/, in the public domain.
 */

/** Lightness, green to red, blue to yellow: a colour in Oklab. */
export type Oklab = readonly [lightness: number, a: number, b: number];

/** Red, green and blue of sRGB, 0–255. */
export type Rgb = readonly [number, number, number];

/** Where an arm begins, at 0, and ends, at 1. */
interface Arm {
  begin: Oklab;
  end: Oklab;
}

const FOR: Arm = { begin: _polar(0.4, 0.15, 27), end: _polar(0.93, 0.16, 100) };
const AGAINST: Arm = { begin: _polar(0.4, 0.15, 265), end: _polar(0.93, 0.06, 195) };

/**
 * The colour of a value.
 *
 * @param value −1, all against the finding, to 1, all for it; beyond them the ends' colours
 */
export function colorOf(value: number): Rgb {
  const { begin, end } = value < 0 ? AGAINST : FOR;
  const share = Math.min(1, Math.abs(value));
  return _srgb(begin.map((from, index) => from + share * (end[index] - from)));
}

function _polar(lightness: number, chroma: number, degrees: number): Oklab {
  const angle = degrees * Math.PI / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

function _srgb([lightness, a, b]: readonly number[]): Rgb {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    _encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    _encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    _encode(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** A linear component with sRGB's transfer function, in bytes. */
function _encode(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
