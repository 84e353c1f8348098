/** What the tests of the weights share: fixtures, assertions, and Python where it is installed. */
import assert from "node:assert/strict";
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

/** The parts of a file as one array. */
export function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A part of a pickle: operations as numbers, or text. */
export type Piece = number | string | readonly number[];

/** A pickle from its parts. */
export function assemble(...pieces: Piece[]): Uint8Array {
  return joined(
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
    assert.equal(error.name, "WeightsError", error.stack);
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

/**
 * A Python that has these packages: the one that the variable MRNET_PYTHON names, or one of the
 * usual ones; `undefined` where none has them.
 */
export function findPython(...packages: string[]): string | undefined {
  const named = Deno.env.get("MRNET_PYTHON");
  const code = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
  return [...named === undefined ? [] : [named], "python3", "/usr/bin/python3"].find((python) => {
    try {
      return new Deno.Command(python, { args: ["-c", code, ...packages] }).outputSync().success;
    } catch {
      return false;
    }
  });
}

/** Declares a test that needs Python with some packages, and is skipped with a reason without. */
export function testWithPython(
  name: string,
  packages: string[],
  body: (run: (code: string, ...args: string[]) => Promise<string>) => Promise<void>,
): void {
  const python = findPython(...packages);
  if (python === undefined) {
    const reason = `skipped: no Python with ${packages.join(", ")}; name one in MRNET_PYTHON`;
    Deno.test.ignore(`${name} (${reason})`, () => {});
    return;
  }
  Deno.test(name, () =>
    body(async (code, ...args) => {
      const command = new Deno.Command(python, { args: ["-c", code, ...args] });
      const { success, stdout, stderr } = await command.output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    }));
}
