/**
 * What many trainings cost beside the trainings themselves, and what a second worker gains.
 *
 * ```sh
 * deno run -A bench/many_trainings.ts chunks               # one worker and two, by chunks of an archive
 * deno run -A bench/many_trainings.ts run_all ../before    # run_all here and in another checkout, in turns
 * deno run -A bench/many_trainings.ts run_all ../before 5  # five turns instead of three
 * ```
 *
 * Workers are processes of one thread each, as on a machine with one core a job. All times are those of
 * whole processes, start included.
 */
import { bestOfEach } from "./best_of.ts";
import { createMRNet, saveMRNet } from "../lib/model/create.ts";
import { encodeNpy } from "../lib/data/npy.ts";
import { writePhantomDataset } from "../lib/phantom/dataset.ts";
import { createRandom } from "../lib/random.ts";

/** Exams of an archive: chunks that two workers share evenly, each long against the start. */
const ARCHIVE = { exams: 48, chunks: 8, slices: 24 } as const;

const USAGE =
  "usage: deno run -A bench/many_trainings.ts chunks [REPEATS [EXAMS]] | run_all FOLDER [TURNS]";

const cliOf = (root: string) => `${root.replace(/\/$/, "")}/cli.ts`;
const HERE = new URL("../", import.meta.url).pathname;

const [what, ...rest] = Deno.args;
if (what === "chunks") await benchChunks(Number(rest[0] ?? 2), Number(rest[1] ?? ARCHIVE.exams));
else if (what === "run_all" && rest.length > 0) await benchRunAll(rest[0], Number(rest[1] ?? 3));
else {
  print(USAGE);
  Deno.exit(2);
}
Deno.exit(0);

/** The same chunks by one worker, and by two at once. */
async function benchChunks(repeats: number, exams: number): Promise<void> {
  const { chunks, slices } = ARCHIVE;
  const chunk = Math.ceil(exams / chunks);
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/exams`);
  // Noise: its values do not change the time.
  const random = createRandom(1, "bench");
  const voxels = Uint8Array.from({ length: slices * 256 * 256 }, () => random.integer(256));
  const rows: string[] = [];
  for (let index = 0; index < exams; index++) {
    voxels[index] ^= 1;
    await Deno.writeFile(`${folder}/exams/${index}.npy`, encodeNpy(voxels, [slices, 256, 256]));
    rows.push(`${index},exams/${index}.npy\n`);
  }
  using model = await createMRNet({ weights: "none", seed: 1 });
  await saveMRNet(model, `${folder}/model.safetensors`, { task: "acl", plane: "axial" });
  await Deno.writeTextFile(`${folder}/exams.csv`, `id,axial\n${rows.join("")}`);
  let plans = 0;
  const score = async (workers: number) => {
    const out = `plan${++plans}`;
    const options = ["--chunk", `${chunk}`, "--backend", "wasm", "--threads", "1"];
    const planned = ["plan", "score", "exams.csv", "--model", "model.safetensors", "--out", out];
    await run(HERE, folder, [...planned, ...options]);
    const start = performance.now();
    // A worker that finds all units taken or done ends; the other one does what is left.
    await Promise.all(
      Array.from({ length: workers }, () => run(HERE, folder, ["unit", out, "--jobs", "1"], [75])),
    );
    return (performance.now() - start) / 1000;
  };
  const times: number[][] = [];
  for (let repeat = 0; repeat < repeats; repeat++) times.push([await score(1), await score(2)]);
  const [one, two] = [0, 1].map((at) => Math.min(...times.map((each) => each[at])));
  await Deno.remove(folder, { recursive: true });
  print(
    `${exams} exams of ${slices} slices, 256×256, in chunks of ${chunk}; best of ${repeats}, in turns`,
  );
  print(`one worker      ${one.toFixed(2)} s`);
  print(`two workers     ${two.toFixed(2)} s`);
  print(`two ÷ one       ${(two / one).toFixed(3)}`);
}

/** `run_all` of two checkouts, in turns. */
async function benchRunAll(other: string, turns: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  await phantoms(folder, { train: 16, valid: 6, slices: 4, size: 96 });
  let runs = 0;
  const all = (root: string) => async () => {
    const own = [`models${++runs}`, `logs${runs}`];
    await run(root, folder, [
      ...["run_all", "--weights", "none", "--backend", "wasm", "--epochs", "2", "--lr", "1e-4"],
      ...["--seed", "1", "--tune", "0.4", "--models", own[0], "--logs", own[1]],
    ]);
    for (const each of own) await Deno.remove(`${folder}/${each}`, { recursive: true });
  };
  const [before, now] = await bestOfEach(turns, [all(await Deno.realPath(other)), all(HERE)]);
  await Deno.remove(folder, { recursive: true });
  print(`run_all, nine trainings of two epochs; best of ${turns}, in turns after one not counted`);
  print(`in ${other}   ${before.toFixed(2)} s`);
  print(`here            ${now.toFixed(2)} s`);
  print(`here ÷ there    ${(now / before).toFixed(3)}`);
}

async function phantoms(
  folder: string,
  { train, valid, slices, size }: { train: number; valid: number; slices: number; size: number },
): Promise<void> {
  const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
  await writePhantomDataset({
    ...{ folder: `${folder}/data`, train, valid, size, slices: [slices, slices], seed: 1 },
    prevalence: { train: balanced, valid: balanced },
  });
}

/** The command line of a checkout, in a process of its own. */
async function run(
  root: string,
  cwd: string,
  args: readonly string[],
  allowed: readonly number[] = [],
): Promise<void> {
  const command = ["run", "--quiet", "-A", cliOf(root), ...args];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: command, cwd }).output();
  if (code === 0 || allowed.includes(code)) return;
  throw new Error(new TextDecoder().decode(stderr));
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
