/**
 * How images lie in a buffer: `[images, rows, columns, channels]`, with a border of zeros around each
 * image if the next convolution wants one.
 *
 * With the border in memory the convolutions need no test for the edge. Buffers are zero when they are
 * made and kernels write the inside only, so the border costs nothing later.
 */

/** The layout of the images of one buffer. */
export interface Grid {
  /** Rows of an image without its border. */
  height: number;
  /** Columns of an image without its border. */
  width: number;
  channels: number;
  /** Width of the border above and to the left. */
  border: number;
  /** Rows with the border. */
  rows: number;
  /** Columns with the border; more on the right where whole vectors want it. */
  columns: number;
  /** Stored as 16-bit floats; see `precision.ts`. */
  half?: boolean;
}

/** A grid with the same border on all four sides. */
export function grid(height: number, width: number, channels: number, border = 0): Grid {
  const [rows, columns] = [height + 2 * border, width + 2 * border];
  return { height, width, channels, border, rows, columns };
}

/** Numbers of one image, its border included. */
export function imageSize({ rows, columns, channels }: Grid): number {
  return rows * columns * channels;
}

/** Where a pixel's channels begin, in vectors of four: a WGSL expression of image, row and column. */
export function pixelAt(
  { rows, columns, channels, border }: Grid,
  image: string,
  row: string,
  column: string,
): string {
  const inside = border === 0 ? "" : ` + ${border}u`;
  const line = `(${image}) * ${rows}u + (${row})${inside}`;
  return `((${line}) * ${columns}u + (${column})${inside}) * ${channels / 4}u`;
}

/**
 * WGSL that takes `index` apart, the index of a vector of four channels among images without borders:
 * into `channel`, `column`, `row`, and the image under a name of its own.
 */
export function vectorOf(
  { height, width, channels }: Pick<Grid, "height" | "width" | "channels">,
  image: string,
): string {
  const vectors = channels / 4;
  return `let channel = index % ${vectors}u;
  let column = index / ${vectors}u % ${width}u;
  let row = index / ${vectors * width}u % ${height}u;
  let ${image} = index / ${vectors * width * height}u;`;
}
