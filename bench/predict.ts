/**
 * What the command `predict` takes for 20 exams, held against the engine's own forward pass for them:
 * reading, checking and printing are to be hidden behind it or small.
 *
 * ```sh
 * deno run -A bench/predict.ts          # 20 exams of 24 slices, 256×256; best of 3
 * deno run -A bench/predict.ts 20 24 5  # exams, slices, repeats
 * ```
 *
 * Start-up is what the command takes for one exam of one slice of 64×64.
 */
import { bestOf } from "./best_of.ts";
import { encodeNpy } from "../lib/data/npy.ts";
import { readExam } from "../lib/data/exam.ts";
import { describeEngine, startEngine } from "../lib/engine/engine.ts";
import { createMRNet, saveMRNet } from "../lib/model/create.ts";
import { createRandom } from "../lib/random.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import { evaluateExam } from "../lib/train/exam_result.ts";

const [count = 20, slices = 24, repeats = 3] = Deno.args.map(Number);
if (![count, slices, repeats].every((each) => Number.isInteger(each) && each > 0)) {
  print("usage: deno run -A bench/predict.ts [EXAMS [SLICES [REPEATS]]]");
  Deno.exit(2);
}

const folder = await Deno.makeTempDir();
const paths: string[] = [];
for (let index = 0; index < count; index++) {
  paths.push(await writeExam(`${index}.npy`, [slices, 256, 256]));
}
const small = await writeExam("small.npy", [1, 64, 64]);
const modelFile = `${folder}/model.safetensors`;

const engine = await startEngine("auto");
const model = await createMRNet({ weights: "none", seed: 1 });
await saveMRNet(model, modelFile, { task: "acl", plane: "sagittal" });
const network = await createNetwork(model);
const exams = await Promise.all(paths.map((path) => readExam(path, path)));
const forward = await bestOf(repeats, async () => {
  await Promise.all(exams.map((exam) => evaluateExam(network, { exam, label: 0 }, [1, 1])));
});
network.dispose();
const startUp = await bestOf(repeats, () => predict([small]));
const whole = await bestOf(repeats, () => predict(paths));
await Deno.remove(folder, { recursive: true });

print(`${describeEngine(engine)}; ${count} exams of ${slices} slices, 256×256; best of ${repeats}`);
print(`forward, exams in memory   ${forward.toFixed(3)} s`);
print(`predict, start-up          ${startUp.toFixed(3)} s`);
print(`predict, all exams         ${whole.toFixed(3)} s`);
print(`(all − start-up) ÷ forward ${((whole - startUp) / forward).toFixed(3)}`);
Deno.exit(0);

/** An exam of noise: its values do not change the time. */
async function writeExam(name: string, shape: number[]): Promise<string> {
  const random = createRandom(1, "bench", name);
  const voxels = new Uint8Array(shape.reduce((all, side) => all * side, 1));
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  await Deno.writeFile(`${folder}/${name}`, encodeNpy(voxels, shape));
  return `${folder}/${name}`;
}

/** The command in a process of its own. */
async function predict(files: readonly string[]): Promise<void> {
  const cli = new URL("../cli.ts", import.meta.url).pathname;
  const args = ["run", "-A", cli, "predict", "--model", modelFile, ...files];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
