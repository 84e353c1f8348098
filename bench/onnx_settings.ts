/**
 * Which of onnxruntime's settings is the best for a forward pass, so that it is compared at its best.
 *
 * ```sh
 * deno run -A bench/onnx_settings.ts [SLICES [THREADS [TURNS]]]
 * ```
 *
 * Each setting has a process of its own, since the threads of another session would spin beside it. All
 * take turns, and of each the least counts.
 */
import { SIDE } from "./cpu_process.ts";
import { writeGreyOnnx } from "./onnx_model.ts";
import { SETTINGS } from "./onnxruntime.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { encodeOnnx } from "../lib/model/weights/onnx.ts";
import { ALEXNET } from "../lib/network/alexnet.ts";

const [slices = 24, threads = navigator.hardwareConcurrency, turns = 5] = Deno.args.map(Number);
const folder = await Deno.makeTempDir();
try {
  const [rgb, grey] = ["rgb", "grey"].map((name) => `${folder}/${name}.onnx`);
  const weights = initialWeights(1, ALEXNET);
  await Deno.writeFile(rgb, encodeOnnx(weights, {}, { network: ALEXNET }));
  await writeGreyOnnx(ALEXNET, weights, grey);
  const tried = [
    { name: "three channels", model: rgb, setting: "defaults" },
    ...Object.keys(SETTINGS).map((setting) => ({
      name: `one channel, ${setting}`,
      model: grey,
      setting,
    })),
  ];
  const best = tried.map(() => Infinity);
  for (let turn = 0; turn < turns; turn++) {
    const order = [...tried.entries()];
    // There and back, so that none always follows the same one.
    for (const [at, { model, setting }] of turn % 2 === 0 ? order : order.toReversed()) {
      best[at] = Math.min(best[at], await forward(model, setting));
    }
  }
  print(
    `${slices} slices, ${threads} threads, the least of ${turns} turns: seconds, and the first's`,
  );
  tried.forEach(({ name }, at) =>
    print(`${name.padEnd(40)} ${best[at].toFixed(3)} ${(best[at] / best[0]).toFixed(2)}`)
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function forward(model: string, setting: string): Promise<number> {
  const script = new URL("onnxruntime.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-lock", "--no-check", script, model];
  args.push(...[slices, SIDE, threads, 3].map(String), setting);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).forward;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
