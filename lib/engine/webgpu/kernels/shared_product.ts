/**
 * What the products of matrices for GPUs have in common: a workgroup of 64 threads computes 64 rows by
 * 64 columns, each thread 8 by 8 of them, from tiles that they fetch together into shared memory.
 *
 * - A thread's rows, and columns, are two vectors half a tile apart: eight neighbours then read vectors
 *   that lie side by side, each in banks of its own.
 * - The next tile is on its way to registers while this one is multiplied, and there are two of each
 *   tile: one barrier a turn. Together they take the 16 KiB that every adapter has.
 * - The depth of a tile is written out: for a loop the compiler of WGSL adds a counter of its own, and
 *   with known places the checks of the bounds are made once.
 *
 * @module
 */
import { lines } from "../kernel.ts";

/** Rows, and columns, of a workgroup's tile. */
export const TILE = 64;

/** What the threads fetch and keep of a turn; all of it knows `lane`. */
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

/** WGSL that sums up a product; what it leaves is told by {@linkcode eachSum}. */
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

/** The products of one place of the depth. */
function _products(depth: number): string {
  return `{
      let r0 = rows[buffer][${depth}][my_row];
      let r1 = rows[buffer][${depth}][my_row + 8u];
      let c0 = columns[buffer][${depth}][my_column];
      let c1 = columns[buffer][${depth}][my_column + 8u];
      ${
    lines(16, (index) => {
      const [row, half] = [index >> 1, index & 1];
      const factor = `r${row >> 2}.${"xyzw"[row & 3]}`;
      return `a${row}_${half} = fma(vec4<f32>(${factor}), c${half}, a${row}_${half});`;
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
