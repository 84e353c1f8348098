/** A slice with its map over it, as the images of `predict --cam` are drawn. */

/** Where each pixel of an axis lies among the pixels of a map; see lib/explain. */
function positions(pixels, mapPixels, { mapStride, mapStart }) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const within = Math.min(Math.max((pixel - mapStart) / mapStride, 0), mapPixels - 1);
    const first = Math.min(Math.floor(within), Math.max(0, mapPixels - 2));
    return { first, second: Math.min(first + 1, mapPixels - 1), share: within - first };
  });
}

/**
 * Draws a slice.
 *
 * @param {ImageData} image as large as the slice
 * @param {ArrayLike<number>} voxels of the slice
 * @param {{ black: number, white: number }} window the values that are black and white
 * @param {object} [heat] the map and how it is shown
 */
export function drawSlice(image, voxels, { black, white }, heat) {
  const { data, width, height } = image;
  const scale = 255 / Math.max(white - black, 1e-9);
  for (let pixel = 0, at = 0; pixel < voxels.length; pixel++, at += 4) {
    const grey = (voxels[pixel] - black) * scale;
    // The array is clamped by itself.
    data[at] = data[at + 1] = data[at + 2] = grey;
    data[at + 3] = 255;
  }
  if (heat === undefined) return;
  const { map, mapHeight, mapWidth, strongest, opacity, colors } = heat;
  if (!(strongest > 0)) return;
  const steps = (colors.length - 1) / 2;
  const rows = positions(height, mapHeight, heat);
  const columns = positions(width, mapWidth, heat);
  for (let y = 0, at = 0; y < height; y++) {
    const { first: above, second: below, share: down } = rows[y];
    for (let x = 0; x < width; x++, at += 4) {
      const { first, second, share } = columns[x];
      const line = (row) => {
        const left = map[row * mapWidth + first];
        return left + share * (map[row * mapWidth + second] - left);
      };
      const top = line(above);
      const value = (top + down * (line(below) - top)) / strongest;
      const cover = opacity * Math.abs(value);
      const color = colors[Math.round(value * steps) + steps];
      for (let channel = 0; channel < 3; channel++) {
        const grey = data[at + channel];
        data[at + channel] = grey + cover * (color[channel] - grey);
      }
    }
  }
}

/** The largest size of a pixel in all maps of a plane. */
export function strongestOf(maps) {
  let strongest = 0;
  for (const map of maps) {
    for (const value of map) strongest = Math.max(strongest, Math.abs(value));
  }
  return strongest;
}

/** A share of the logit, with its sign. */
export function signed(share) {
  const size = Math.abs(share);
  const digits = size >= 0.01 || size === 0 ? 2 : 3;
  return `${share < 0 ? "−" : "+"}${size.toFixed(digits)}`;
}
