// What V8 packs of the kernels' pairs of 128-bit operations once it checks no addresses.
import assert from "node:assert/strict";
import { assemble } from "../../tools/build_kernels.ts";
import { type Packed, packedTable, revectorize, whyUnknown } from "../../tools/revectorize.ts";

const unknown = await whyUnknown();
const note = unknown === undefined ? "" : ` (not checked: ${unknown})`;

/** The kernels that multiply most, in panels of eight channels: two vectors. */
const PRODUCTS = ["addNarrowProduct", "addProduct", "convolve", "multiplyTransformed"];

Deno.test({
  name: "every pair of stores of the kernels is packed where addresses are not checked" + note,
  ignore: unknown !== undefined,
  async fn(t) {
    const module = await Deno.readFile(
      new URL("../../lib/engine/wasm/kernels.wasm", import.meta.url),
    );
    const checked = await revectorize(module, { checks: true });
    const unchecked = await revectorize(module, { checks: false });
    assert.deepEqual([...checked.keys()].sort(), [...unchecked.keys()].sort());
    for (const [name, { pairs, stores, loads, multiplyAdds }] of unchecked) {
      if (pairs === 0) continue;
      const held = checked.get(name)!;
      const said =
        `${name}: ${stores} of ${pairs} pairs of stores are packed, ${loads} of loads, ` +
        `${multiplyAdds} of multiply-adds; with checks ${held.stores} of stores`;
      await t.step(said, () => {
        assert.equal(stores, pairs);
        assert.ok(held.stores <= stores);
      });
    }
    for (const name of PRODUCTS) {
      const { pairs, loads, multiplyAdds } = unchecked.get(name)!;
      assert.ok(pairs > 0 && loads > 0 && multiplyAdds > 0, `${name} has nothing to pack`);
    }
  },
});

Deno.test({
  name: "loads have to be ahead of the stores that lie side by side" + note,
  ignore: unknown !== undefined,
  async fn() {
    const load = (at: number) => `(f32x4.neg (v128.load offset=${at} (local.get $x)))`;
    const store = (at: number, value: string) =>
      `(v128.store offset=${at} (local.get $y) ${value})`;
    const set = (name: string, value: string) => `(local.set $${name} ${value})`;
    const functions: Record<string, string[]> = {
      ahead: [
        ...[set("a", load(0)), set("b", load(16))],
        ...[store(0, "(local.get $a)"), store(16, "(local.get $b)")],
      ],
      between: [store(0, load(0)), store(16, load(16))],
      apart: [
        ...[set("a", load(0)), set("b", load(16))],
        ...[store(0, "(local.get $a)"), store(32, "(local.get $b)")],
      ],
      calls: ["(call $ahead (local.get $x) (local.get $y))"],
    };
    const text = Object.entries(functions).map(([name, lines]) =>
      `(func $${name} (export "${name}") (param $x i32) (param $y i32) (local $a v128)
        (local $b v128) ${lines.join("\n")})`
    );
    const module = await assemble(`(module (memory 1 1) ${text.join("\n")})`);
    const found = await revectorize(module, { checks: false });
    const none: Packed = { pairs: 0, stores: 0, loads: 0, multiplyAdds: 0 };
    assert.deepEqual(Object.fromEntries(found), {
      ahead: { ...none, pairs: 1, stores: 1, loads: 1 },
      between: { ...none, pairs: 1 },
      apart: none,
      // Of the function that it calls.
      calls: { ...none, pairs: 1, stores: 1, loads: 1 },
    });
    assert.equal(packedTable(found, found).length, 4);
  },
});
