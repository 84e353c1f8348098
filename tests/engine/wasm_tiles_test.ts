// The register tiles that tools/tile_kernels.ts writes, against plain loops, in every form that is built.
import assert from "node:assert/strict";
import { assemble } from "../../tools/build_kernels.ts";
import { MEMORY_PAGES, type Tile, tileName, TILES, tilesText } from "../../tools/tile_kernels.ts";
import { assertClose, noise } from "../support/kernels.ts";

const FORMS = [true, false].flatMap((shared) =>
  [true, false].map((relaxedSimd) => ({ shared, relaxedSimd }))
);

/** Tiles that no kernel uses, too. */
const CASES: readonly Tile[] = [
  ...TILES,
  { rows: 1, depth: 8, runs: "rows" },
  { rows: 5, depth: 6, runs: "rows" },
  { rows: 2, depth: 3, runs: "columns" },
];

const LOCALS = ["fill", "multiply"] as const;

/** A module of a tile's functions alone. */
function moduleText(tile: Tile, form: (typeof FORMS)[number]): string {
  const names = new Map(LOCALS.map((action) => [action + tileName(tile), action]));
  const limits = `${MEMORY_PAGES} ${MEMORY_PAGES}${form.shared ? " shared" : ""}`;
  return [
    `(module (import "env" "memory" (memory $0 ${limits}))`,
    ...LOCALS.map((name) => `(export "${name}" (func $${name}))`),
    tilesText([tile], { ...form, names }),
    ")",
  ].join("\n");
}

async function instantiate(text: string, shared: boolean) {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared });
  const module = new WebAssembly.Module(await assemble(text));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const [fill, multiply] = LOCALS.map((name) => exports[name] as (...args: number[]) => void);
  return { memory: new Float32Array(memory.buffer), fill, multiply };
}

for (const tile of CASES) {
  const { rows, depth, runs } = tile;
  Deno.test(`a tile of ${rows} rows in ${depth} steps is a product, its ${runs} in memory`, async () => {
    for (const form of FORMS) {
      const { memory, fill, multiply } = await instantiate(
        moduleText(tile, form),
        form.shared,
      );
      // Three panels, every run and row with a gap behind it that stays as it is.
      const [panels, gap, at] = [3, 5, { x: 0, weights: 2000, out: 20000 }];
      const [count, length] = runs === "rows" ? [rows, depth] : [depth, rows];
      const x = noise(count * (length + gap), 1);
      const weights = noise(panels * (depth * 8 + gap), 2);
      const pitch = panels * 8 + gap;
      const before = noise(rows * pitch, 3);
      memory.set(x, at.x);
      memory.set(weights, at.weights);
      memory.set(before, at.out);
      const operand = (row: number, step: number) =>
        runs === "rows" ? x[row * (length + gap) + step] : x[step * (length + gap) + row];
      for (const first of [0, 1]) {
        memory.set(before, at.out);
        fill(4 * at.x, 4 * (length + gap));
        const from = [4 * at.weights, 4 * (depth * 8 + gap), 4 * at.out, 4 * pitch, panels, first];
        multiply(...from);
        const expected = before.map((value, index) => {
          const [row, column] = [Math.floor(index / pitch), index % pitch];
          if (column >= panels * 8) return value;
          const panel = Math.floor(column / 8) * (depth * 8 + gap) + column % 8;
          let sum = first ? 0 : value;
          for (let step = 0; step < depth; step++) {
            sum += operand(row, step) * weights[panel + 8 * step];
          }
          return sum;
        });
        assertClose(memory.subarray(at.out, at.out + before.length), expected);
      }
    }
  });
}

Deno.test("a tile's operand lies at constant addresses of a memory of its own, or below the kernels' size", () => {
  for (const tile of TILES) {
    for (const form of FORMS) {
      const text = moduleText(tile, form);
      const operands = text.matchAll(/\((?:v128\.load32_splat|(?:v128|i64)\.store) (\$\S+)(.*)/g);
      let accesses = 0;
      for (const [, memory, rest] of operands) {
        const [, offset, address] = /^(?: offset=(\d+))? \(i32\.const (\d+)\)/.exec(rest)!;
        assert.equal(memory, form.shared ? "$scratch" : "$0");
        assert.ok(Number(offset ?? 0) + Number(address) + 16 <= 65536);
        accesses++;
      }
      assert.ok(accesses >= tile.rows * tile.depth);
      assert.equal(text.includes("relaxed_madd"), form.relaxedSimd);
    }
  }
});

Deno.test("a tile whose runs cannot be copied in whole is refused", () => {
  for (
    const tile of [{ rows: 3, depth: 4, runs: "columns" }, { rows: 2, depth: 5, runs: "rows" }]
  ) {
    assert.throws(() => moduleText(tile as Tile, FORMS[0]), /Cannot copy runs of [35] floats/);
  }
});
