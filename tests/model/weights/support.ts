/** What the tests of the weights share: fixtures, assertions, and Python where it is installed. */
import assert from "node:assert/strict";
import { concat } from "../../../lib/bytes.ts";
import type { StateDict } from "../../../lib/model/weights/tensors.ts";
import { MRNET_PARAMETERS } from "../../../lib/model/weights/mrnet.ts";
import { createRandom } from "../../../lib/random.ts";

const FIXTURES = new URL("../../fixtures/weights/", import.meta.url);

/** The bytes of a file in tests/fixtures/weights, which tools/make_weight_fixtures.py made. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, FIXTURES));
}

/** The names of the files in tests/fixtures/weights that are no text. */
export function fixtureNames(): string[] {
  return [...Deno.readDirSync(FIXTURES)].map(({ name }) => name)
    .filter((name) => !name.endsWith(".jsonl")).sort();
}

/** What PyTorch says is in each fixture. */
export function expectedTensors(): Map<string, StateDict> {
  const lines = Deno.readTextFileSync(new URL("expected.jsonl", FIXTURES)).trim().split("\n");
  return new Map(lines.map((line) => {
    const { file, tensors } = JSON.parse(line);
    const entries = Object.entries<{ shape: number[]; values: (number | string)[] }>(tensors);
    const state = entries.map(([name, { shape, values }]) =>
      [name, { shape, data: Float32Array.from(values, Number) }] as const
    );
    return [file, new Map(state)];
  }));
}

/** A piece of a pickle: operations as numbers, or text. */
export type Piece = number | string | readonly number[];

/** A pickle from its pieces. */
export function assemble(...pieces: Piece[]): Uint8Array {
  return concat(
    pieces.map((piece) =>
      typeof piece === "string"
        ? new TextEncoder().encode(piece)
        : new Uint8Array(typeof piece === "number" ? [piece] : piece)
    ),
  );
}

/** Short text as the operation BINUNICODE. */
export const text = (name: string): Piece[] => ["X", [name.length, 0, 0, 0], name];

/** Asserts that something ends in a WeightsError of one line with this text in it. */
export function assertRefused(action: () => unknown, found: string): void {
  assert.throws(action, (error: Error) => {
    assert.equal(error.name, "WeightsError", error.stack ?? error.message);
    assert.ok(!error.message.includes("\n"), error.message);
    assert.ok(error.message.includes(found), `'${error.message}' does not say '${found}'`);
    return true;
  });
}

/** An MRNet of full size with small seeded weights. */
export function makeMRNet(seed = 1): StateDict {
  return new Map(MRNET_PARAMETERS.map(({ name, shape }) => {
    const random = createRandom(seed, name);
    const length = shape.reduce((product, size) => product * size, 1);
    const bound = 1 / Math.sqrt(length / shape[0]);
    const data = Float32Array.from({ length }, () => random.uniform(-bound, bound));
    return [name, { shape: [...shape], data }];
  }));
}

/** Runs something with a folder of its own, which is gone afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weights-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export { findPython, testWithPython } from "../../support/python.ts";
