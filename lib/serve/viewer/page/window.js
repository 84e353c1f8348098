/** The window: which grey values are black and which white. */

/**
 * Windows to choose from: what they are called, and what they are of a volume. The middle ones leave out as
 * many of the darkest voxels as of the brightest.
 */
export const WINDOWS = {
  full: ["Full range", ({ least, largest }) => [least, largest]],
  most: ["Middle 98 %", (volume) => [volume.quantile(0.01), volume.quantile(0.99)]],
  contrast: ["Middle 90 %", (volume) => [volume.quantile(0.05), volume.quantile(0.95)]],
  dark: ["Dark half", ({ least, largest }) => [least, (least + largest) / 2]],
  bright: ["Bright half", ({ least, largest }) => [(least + largest) / 2, largest]],
};

/**
 * One of them.
 *
 * @param {keyof typeof WINDOWS} name
 * @param {import("./volume.js").Volume} volume
 * @returns {{ black: number, white: number }}
 */
export function windowOf(name, volume) {
  const [black, white] = WINDOWS[name][1](volume);
  // Where nearly all values are one, the quantiles are too.
  return black < white ? { black, white } : { black: volume.least, white: volume.largest };
}

/** What brightness and contrast are, in words. */
export function windowWords({ black, white }) {
  const round = (value) => Math.round(value * 10) / 10;
  return `Contrast ${round(white - black)} · brightness ${round((white + black) / 2)}`;
}
