/**
 * How long a fresh process takes: for an import alone, and to the first answer about an exam.
 */
import { bestOf } from "./best_of.ts";

/** Seconds from the start of a process to its end. */
export interface FirstAnswer {
  /** Nothing at all: what Deno itself takes. */
  empty: number;
  /** `import "mod.ts"`. */
  import: number;
  /** Import, engine, weights, one exam of 24 slices through `model.predict`, on one thread. */
  predict: number;
  /** The same through `evaluate`, on all threads. */
  evaluate: number;
}

/** Measures all of them; `weights` is a model's file. */
export async function measureFirstAnswer(
  weights: string,
  side: number,
  repeats: number,
): Promise<FirstAnswer> {
  const module = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
  const load = `import * as m from ${module};`;
  const read = `${load}
    await m.startEngine("wasm");
    const { model } = await m.loadMRNet(${JSON.stringify(weights)});
    const voxels = new Uint8Array(24 * ${side * side}).fill(9);
    const exam = { id: "first", slices: 24, height: ${side}, width: ${side}, voxels };`;
  const evaluate = `${read}
    const labels = [{ id: "first", label: 0 }, { id: "second", label: 1 }];
    const onExam = () => Deno.exit(0);
    await m.evaluate(model, { labels, read: () => Promise.resolve(exam) }, { onExam });`;
  const folder = await Deno.makeTempDir();
  const time = async (script: string) => {
    const path = `${folder}/script.ts`;
    await Deno.writeTextFile(path, script);
    const args = ["run", "-A", "--no-check", path];
    return await bestOf(repeats, async () => {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    });
  };
  try {
    return {
      empty: await time(""),
      import: await time(load),
      predict: await time(`${read} await model.predict(exam);`),
      evaluate: await time(evaluate),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
