/**
 * Writes the kernels' register tiles as WebAssembly text: matrix products of which one operand lies at
 * constant addresses.
 *
 * Deno's WebAssembly checks every memory access against the memory's size, unless the address is a
 * constant. So the operand that is used again for every panel of the other one is copied to constant
 * addresses first (`fill…`), and then multiplied (`multiply…`). Threads that share a memory have a second
 * one each for that, which AssemblyScript has no words for.
 */

/** A register tile of a matrix product. The other operand lies in panels of eight columns. */
export interface Tile {
  /** Rows of the product that are computed at once. */
  rows: number;
  /** How many products each sum gets. */
  depth: number;
  /** Whether the operand's rows or its columns are the runs that lie in memory. */
  runs: "rows" | "columns";
}

/**
 * The tiles that kernels may use. With six rows of eight sums, a factor and two vectors of the panel 15 of
 * the 16 vector registers are in use, and 12 independent sums keep two multipliers of latency 4 busy.
 */
export const TILES: readonly Tile[] = [
  ...[32, 4].flatMap((depth) => [6, 5, 4].map((rows): Tile => ({ rows, depth, runs: "rows" }))),
  { rows: 6, depth: 64, runs: "columns" },
  ...[16, 4, 1].flatMap((depth): Tile[] => [
    { rows: 6, depth, runs: "columns" },
    { rows: 4, depth, runs: "columns" },
  ]),
];

/** The module that kernels import the tiles from until they are defined. */
export const TILES_MODULE = "tiles";

/** The size that the kernels' memory has at least, in pages of 64 kB. */
export const MEMORY_PAGES = 2;

/**
 * Where the constant addresses begin if there is one memory: behind the kernels' own constants, below the
 * control block, and below {@linkcode MEMORY_PAGES}, so that they need no check.
 */
const SCRATCH_START = 32768;

/** Vectors of four sums in a row of a tile: a panel. */
const VECTORS = 2;

/** What the text of tiles depends on. */
export interface TilesSettings {
  /** Whether threads share the memory. */
  shared: boolean;
  /** Whether to multiply and add in one instruction. */
  relaxedSimd: boolean;
  /**
   * The functions that are wanted, such as `fillRows6x32` for six rows of 32, and their names in the module
   * that calls them.
   */
  names: ReadonlyMap<string, string>;
}

/** The text of the wanted functions of tiles, and of the memory that they need; `$0` is the first one. */
export function tilesText(tiles: readonly Tile[], settings: TilesSettings): string {
  const { shared, names } = settings;
  const lines = shared ? ["(memory $scratch 1 1)"] : [];
  for (const tile of tiles) {
    for (const [action, write] of [["fill", _fill], ["multiply", _multiply]] as const) {
      const name = names.get(action + tileName(tile));
      if (name !== undefined) lines.push(`(func $${name}`, ...write(tile, settings), ")");
    }
  }
  return lines.join("\n");
}

/** A tile's runs: `Rows6x32` are six rows of 32, `Columns16x6` sixteen columns of six. */
export function tileName({ rows, depth, runs }: Tile): string {
  return runs === "rows" ? `Rows${rows}x${depth}` : `Columns${depth}x${rows}`;
}

/** `fill…(x, pitch)`: copies an operand to the constant addresses; its runs begin `pitch` bytes apart. */
function _fill({ rows, depth, runs }: Tile, settings: TilesSettings): string[] {
  const [count, length] = runs === "rows" ? [rows, depth] : [depth, rows];
  const lines = ["(param $x i32) (param $pitch i32)"];
  for (let run = 0; run < count; run++) {
    if (run > 0) lines.push(_advance("x", "(local.get $pitch)"));
    for (let at = 0; at < length; at += 4) {
      const left = Math.min(4, length - at);
      if (left === 3 || left === 1) throw new RangeError(`Cannot copy runs of ${length} floats`);
      const type = left === 4 ? "v128" : "i64";
      const from = `(${type}.load $0 offset=${4 * at} (local.get $x))`;
      lines.push(`(${type}.store ${_scratch(run * length + at, settings)} ${from})`);
    }
  }
  return lines;
}

/**
 * `multiply…(panel, panelBytes, out, pitch, panels, first)`: the operand's product with every panel,
 * `[depth][8]` and `panelBytes` apart. The product's rows are `pitch` bytes apart. It is added to what is
 * there unless `first` is not 0: each product is summed from zero, so a long sum has less than half the error.
 */
function _multiply({ rows, depth, runs }: Tile, settings: TilesSettings): string[] {
  const parameters = ["panel", "panelBytes", "out", "pitch", "panels", "first"];
  const factors = Array.from({ length: VECTORS }, (_, at) => `w${at}`);
  const sums = Array.from({ length: rows }, (_, row) => factors.map((_, at) => `s${row}_${at}`));
  const product = (step: number) => [
    ...factors.map((factor, at) =>
      _set(factor, `(v128.load offset=${16 * (VECTORS * step + at)} (local.get $panel))`)
    ),
    ...sums.flatMap((vectors, row) => [
      _set("x", _splat(runs === "rows" ? row * depth + step : step * rows + row, settings)),
      ...vectors.map((sum, at) => _set(sum, _madd("x", factors[at], sum, settings))),
    ]),
  ];
  const eachRow = (access: (vectors: readonly string[]) => string[]) =>
    sums.flatMap((vectors, row) => [
      row === 0 ? _set("row", "(local.get $out)") : _advance("row", "(local.get $pitch)"),
      ...access(vectors),
    ]);
  return [
    parameters.map((name) => `(param $${name} i32)`).join(" "),
    "(local $row i32)",
    ["x", ...factors, ...sums.flat()].map((name) => `(local $${name} v128)`).join(" "),
    "(loop $next",
    ...sums.flat().map((sum) => _set(sum, "(v128.const i32x4 0 0 0 0)")),
    ...Array.from({ length: depth }, (_, step) => product(step)).flat(),
    "(if (local.get $first) (then",
    ...eachRow((vectors) => vectors.map((sum, at) => _store(16 * at, `(local.get $${sum})`))),
    ") (else",
    // The loads of a row ahead of its stores, as V8 packs them.
    ...eachRow((vectors) => [
      ...factors.map((before, at) =>
        _set(before, `(v128.load offset=${16 * at} (local.get $row))`)
      ),
      ...vectors.map((sum, at) =>
        _store(16 * at, `(f32x4.add (local.get $${factors[at]}) (local.get $${sum}))`)
      ),
    ]),
    "))",
    _advance("panel", "(local.get $panelBytes)"),
    _advance("out", `(i32.const ${16 * VECTORS})`),
    "(br_if $next (local.tee $panels (i32.sub (local.get $panels) (i32.const 1)))))",
  ];
}

/** The memory and the address of one of the operand's floats, as an instruction takes them. */
function _scratch(float: number, { shared }: TilesSettings): string {
  return `${shared ? "$scratch" : `$0 offset=${SCRATCH_START}`} (i32.const ${4 * float})`;
}

function _splat(float: number, settings: TilesSettings): string {
  return `(v128.load32_splat ${_scratch(float, settings)})`;
}

function _madd(a: string, b: string, sum: string, { relaxedSimd }: TilesSettings): string {
  const [x, y, z] = [a, b, sum].map((name) => `(local.get $${name})`);
  return relaxedSimd
    ? `(f32x4.relaxed_madd ${x} ${y} ${z})`
    : `(f32x4.add (f32x4.mul ${x} ${y}) ${z})`;
}

function _set(name: string, value: string): string {
  return `(local.set $${name} ${value})`;
}

function _store(offset: number, value: string): string {
  return `(v128.store offset=${offset} (local.get $row) ${value})`;
}

function _advance(name: string, by: string): string {
  return _set(name, `(i32.add (local.get $${name}) ${by})`);
}
