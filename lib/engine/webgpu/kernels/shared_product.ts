/**
 * What the products of matrices for GPUs have in common. A workgroup of 64 threads computes 64 rows by
 * 64 columns, each thread 8 by 8 of them. It fetches tiles into shared memory, one a turn of its loop.
 *
 * - A thread's rows are two vectors half a tile apart, and so are its columns. Eight neighbours then read
 *   vectors that lie side by side, each in banks of its own.
 * - The next tile is on its way to registers while this one is multiplied. There are two of each tile, so
 *   a turn takes one barrier. Together they take the 16 KiB that every adapter has.
 * - The loop over a tile's depth is unrolled. To a loop the compiler of WGSL adds a counter of its own,
 *   and with constant indices the bounds are checked once.
 */
import { lines } from "../kernel.ts";

/** Rows, and columns, of a workgroup's tile. */
export const TILE = 64;

/** What the threads fetch and keep in a turn. All of this WGSL knows `lane`. */
export interface SharedProduct {
  /** Terms of a turn, 16 at most. */
  depth: number;
  /** The first turn and the one behind the last: WGSL expressions that are the same in all threads. */
  begin: string;
  end: string;
  /** The variables that hold a thread's share of a turn. */
  held: readonly string[];
  /** WGSL that fills them for the turn of an expression; it is run for one turn after the other. */
  fetch: (turn: string) => string;
  /**
   * WGSL that writes them to `rows[buffer]` and `columns[buffer]`: `[depth][16]` vectors, of four rows or
   * four columns.
   */
  put: string;
}

/** The declarations of the tiles. */
export function sharedTiles(depth: number): string {
  const tiles = `array<array<array<vec4<f32>, ${TILE / 4}>, ${depth}>, 2>`;
  return `var<workgroup> rows: ${tiles};
var<workgroup> columns: ${tiles};`;
}

/** WGSL that sums up a product; {@linkcode eachSum} names the variables with the sums. */
export function sharedProduct({ depth, begin, end, held, fetch, put }: SharedProduct): string {
  return `let my_row = lane / 8u;
  let my_column = lane % 8u;
  ${eachSum((_row, sums) => sums.map((sum) => `var ${sum} = vec4<f32>();`).join("\n  "))}
  ${held.map((name) => `var ${name} = vec4<f32>();`).join("\n  ")}
  let first_turn = ${begin};
  let end_turn = ${end};
  ${fetch("first_turn")}
  for (var turn = first_turn; turn < end_turn; turn++) {
    // Whoever writes here has passed the last turn's barrier: all have read what was here before.
    let buffer = turn % 2u;
    ${put}
    workgroupBarrier();
    if (turn + 1u < end_turn) {
      ${fetch("(turn + 1u)")}
    }
    ${lines(depth, _products)}
  }`;
}

/** The products at one index of the depth. */
function _products(depth: number): string {
  return `{
      let r0 = rows[buffer][${depth}][my_row];
      let r1 = rows[buffer][${depth}][my_row + 8u];
      let c0 = columns[buffer][${depth}][my_column];
      let c1 = columns[buffer][${depth}][my_column + 8u];
      ${
    lines(16, (index) => {
      const [row, vector] = [index >> 1, index & 1];
      const factor = `r${row >> 2}.${"xyzw"[row & 3]}`;
      return `a${row}_${vector} = fma(vec4<f32>(${factor}), c${vector}, a${row}_${vector});`;
    })
  }
    }`;
}

/**
 * Lines of WGSL for each of a thread's rows.
 *
 * @param line of the row in the tile, a WGSL expression, and the names of its two sums: four columns
 *   from `my_column`, in vectors, and as many {@linkcode HALF} vectors further
 */
export function eachSum(line: (row: string, sums: [string, string]) => string): string {
  return lines(8, (row) => {
    const first = row < 4 ? row : TILE / 2 + row - 4;
    return line(`my_row * 4u + ${first}u`, [`a${row}_0`, `a${row}_1`]);
  });
}

/** How far a thread's two vectors of columns are apart, in vectors. */
export const HALF = TILE / 8;
