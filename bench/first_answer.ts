/**
 * How long a fresh process takes: for an import alone, to the first answer about an exam, and where that
 * time goes.
 *
 * A script that stands alone makes Deno resolve the versions of all npm packages anew. In a folder with
 * a `deno.json` Deno keeps them in a lock file, which is what is measured unless something else is said.
 */
import { bestOfEach } from "./best_of.ts";

/** Slices of the exam: a typical one. */
const SLICES = 24;

/** Seconds from the start of a process to its end, which comes with the answer. */
export interface FirstAnswer {
  /** Nothing at all: what Deno itself takes. */
  empty: number;
  /** A script that could import `mod.ts`, and does not: Deno reads its modules, but loads none. */
  graph: number;
  /** `import "mod.ts"`. */
  import: number;
  /** Import, engine, weights, one exam of 24 slices through `model.predict`. */
  predict: number;
  /** The same through `evaluate`. */
  evaluate: number;
  /** `import "mod.ts"` by a script that stands alone. */
  alone: number;
}

/** How many modules an import is, and how much text. */
export interface ModuleCount {
  modules: number;
  bytes: number;
}

const MODULE = new URL("../mod.ts", import.meta.url);

/** Measures all of them, in turns; `weights` is a model's file. */
export async function measureFirstAnswer(
  weights: string,
  side: number,
  repeats: number,
): Promise<FirstAnswer> {
  const module = JSON.stringify(MODULE.href);
  // Without a name: TypeScript leaves out an import of names that nobody uses.
  const alone = `import ${module};`;
  const load = `import * as m from ${module};`;
  const read = `${load}
    await m.startEngine("wasm");
    const { model } = await m.loadMRNet(${JSON.stringify(weights)});
    const voxels = new Uint8Array(${SLICES * side * side}).fill(9);
    const exam = { id: "first", slices: ${SLICES}, height: ${side}, width: ${side}, voxels };`;
  const evaluate = `${read}
    const labels = [{ id: "first", label: 0 }, { id: "second", label: 1 }];
    const onExam = () => Deno.exit(0);
    await m.evaluate(model, { labels, read: () => Promise.resolve(exam) }, { onExam });`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/project`);
    await Deno.writeTextFile(`${folder}/project/deno.json`, "{}");
    const script = async (name: string, text: string) => {
      const path = `${folder}/${name}.ts`;
      await Deno.writeTextFile(path, text);
      return () => _run(path);
    };
    const times = await bestOfEach(repeats, [
      await script("project/empty", ""),
      await script("project/graph", `if (Deno.args.length > 0) await import(${module});`),
      await script("project/import", alone),
      await script(
        "project/predict",
        `${read} await model.predict(exam); Deno.exit(0);`,
      ),
      await script("project/evaluate", evaluate),
      await script("alone", alone),
    ]);
    const [empty, graph, imported, predict, evaluated, standalone] = times;
    return { empty, graph, import: imported, predict, evaluate: evaluated, alone: standalone };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The phases of a first answer; of each the least of several processes. */
export async function measurePhases(
  weights: string,
  side: number,
  repeats: number,
): Promise<ReadonlyMap<string, number>> {
  const script = new URL("first_answer_process.ts", import.meta.url).pathname;
  const phases = new Map<string, number>();
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const printed = JSON.parse(await _run(script, [weights, `${side}`, `${SLICES}`]));
    // Deno's caches may be empty at the first.
    if (repeat === 0) continue;
    for (const [name, seconds] of Object.entries<number>(printed)) {
      phases.set(name, Math.min(seconds, phases.get(name) ?? Infinity));
    }
  }
  return phases;
}

/** The modules that `mod.ts` loads at once, and all that it may load later, npm packages left out. */
export async function countModules(): Promise<{ loaded: ModuleCount; all: ModuleCount }> {
  const args = ["info", "--json", MODULE.href];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  interface Module {
    specifier: string;
    size?: number;
    dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
  }
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout));
  const known = new Map((modules as Module[]).map((each) => [each.specifier, each]));
  const count = (later: boolean): ModuleCount => {
    const found = new Set<string>(roots);
    for (const specifier of found) {
      for (const { code, isDynamic } of known.get(specifier)?.dependencies ?? []) {
        if (code?.specifier?.startsWith("file:") && (later || !isDynamic)) {
          found.add(code.specifier);
        }
      }
    }
    const bytes = [...found].reduce((sum, each) => sum + (known.get(each)?.size ?? 0), 0);
    return { modules: found.size, bytes };
  };
  return { loaded: count(false), all: count(true) };
}

/** The lines about a fresh process. */
export function firstAnswerLines(answer: FirstAnswer): string[] {
  return [
    "A fresh process, seconds:",
    ...([
      ["an empty script", answer.empty],
      ["import of mod.ts", answer.import],
      ["import, weights, first model.predict", answer.predict],
      ["import, weights, first exam of evaluate", answer.evaluate],
      ["import of mod.ts without a lock file", answer.alone],
    ] as const).map(([name, seconds]) => _line(name, seconds)),
  ];
}

/** The table of where the time of a first answer goes. */
export function phaseLines(
  answer: FirstAnswer,
  phases: ReadonlyMap<string, number>,
  { loaded, all }: { loaded: ModuleCount; all: ModuleCount },
): string[] {
  const size = ({ modules, bytes }: ModuleCount) =>
    `${modules} modules, ${Math.round(bytes / 1000)} kB`;
  const more = ["TensorFlow.js run, its variables made", "a GPU looked for"];
  const rows: [string, number][] = [
    ["Deno", answer.empty],
    [`modules found: ${size(all)}`, answer.graph - answer.empty],
    [`modules loaded: ${size(loaded)}`, answer.import - answer.graph],
    ...[...phases].filter(([name]) => !more.includes(name)),
  ];
  return [
    `Where a first answer about ${SLICES} slices goes, seconds:`,
    ...rows.map(([name, seconds]) => _line(name, seconds)),
    _line("all of these", rows.reduce((sum, [, seconds]) => sum + seconds, 0)),
    "Not among them:",
    ...more.map((name) => _line(name, phases.get(name)!)),
  ];
}

function _line(name: string, seconds: number): string {
  return `  ${name.padEnd(52)}${seconds.toFixed(3)}`;
}

async function _run(script: string, more: readonly string[] = []): Promise<string> {
  const args = ["run", "-A", "--no-check", script, ...more];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
