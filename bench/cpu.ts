/**
 * Training and evaluating on the processor, beside PyTorch and onnxruntime with as many threads, in one
 * run.
 *
 * ```sh
 * deno task bench:cpu           # exams of 2, 8, 24 and 60 slices, 256×256; best of 3
 * deno task bench:cpu 5 8 24    # repeats, then numbers of slices
 * deno task bench:cpu resnet18  # another network than AlexNet
 * deno task bench:cpu --kernels # each kernel of a step instead; may be followed by the same
 * deno task bench:cpu --first   # where the first answer of a fresh process goes; also `resnet18 5`
 * ```
 *
 * `work` is what a step costs in processor seconds, all threads together. Where a step takes longer
 * than its threads need for that, they wait for each other, or the machine is busy with something
 * else.
 *
 * Each timing is the least of the repeats after one that is not counted, in a process of its own, whose
 * peak memory stands beside it. Ours and its peers take turns three times, and of each the least counts:
 * what else the machine does in the meantime meets all of them. PyTorch is that of the first `python3`
 * that has it. Compare within a run, not between runs. A peer that cannot be had is left out;
 * onnxruntime-node is fetched from npm the first time.
 */
import { type EpochMemory, type Kind, SIDE, type Timings } from "./cpu_process.ts";
import { writeGreyOnnx } from "./onnx_model.ts";
import { ONNXRUNTIME } from "./onnxruntime.ts";
import { kernelTable, peakOfThread, timeKernels } from "./kernel_times.ts";
import {
  countModules,
  type FirstAnswer,
  firstAnswerLines,
  measureFirstAnswer,
  measurePhases,
  phaseLines,
} from "./first_answer.ts";
import { cpus } from "node:os";
import { describeEngine, startEngine } from "../lib/engine/engine.ts";
import { messageOf } from "../lib/errors.ts";
import { saveMRNet } from "../lib/model/create.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { NETWORK_NAMES, networkOf } from "../lib/network/networks.ts";

/** How many slices the exam has whose training's memory is measured: MRNet's largest. */
const LARGEST = 61;
/** Epochs of that training: what V8 keeps of voxels that are read no more grows in the first few. */
const EPOCHS = 5;

/** The exam that the numbers to reach are about. */
const TYPICAL = 24;

/** How often ours and its peers are measured in turns. */
const TURNS = 3;

/** How long a peer may take to be fetched and to run, in milliseconds. */
const PEER_TIME = 180_000;

/** PyTorch's timings, and which PyTorch it is. */
interface Torch extends Timings {
  version: string;
  /** Of its vectors, such as `AVX512`; empty where it does not say. */
  vectors: string;
}

/** A row of the table. */
interface Row {
  slices: number;
  threads: number;
  ours: Timings;
  torch?: Torch;
  onnx?: { forward: number };
}

const kernels = Deno.args[0] === "--kernels";
const first = Deno.args[0] === "--first";
const args = Deno.args.slice(kernels || first ? 1 : 0);
const network = NETWORK_NAMES.find((name) => name === args[0]);
const description = networkOf(network ?? "alexnet");
const [repeats = 3, ...given] = args.slice(network ? 1 : 0).map(Number);
const sizes = given.length > 0 ? given : kernels ? [TYPICAL] : [2, 8, TYPICAL, 60];
if (![repeats, ...sizes].every((count) => Number.isInteger(count) && count > 0)) {
  print("usage: deno task bench:cpu [--kernels|--first] [NETWORK] [REPEATS [SLICES ...]]");
  Deno.exit(2);
}
print(cpus()[0].model);
if (kernels) {
  await printKernels();
  Deno.exit(0);
}
const engine = await startEngine("wasm");
const cores = navigator.hardwareConcurrency;
const started = performance.now();
const folder = await Deno.makeTempDir();
const leftOut = new Set<string>();
try {
  const weights = `${folder}/model.safetensors`;
  const onnx = `${folder}/model.onnx`;
  const state = initialWeights(1, description);
  await saveMRNet(new MRNet(state), weights);
  if (first) await printFirst(weights);
  await writeGreyOnnx(description, state, onnx);
  print(describeEngine(engine));
  print(
    `${description.title}; exams of ${SIDE}×${SIDE}; best of ${repeats}; seconds; peak memory in MB`,
  );
  const rows = await compare(onnx);
  const torch = rows.find(({ torch }) => torch !== undefined)?.torch;
  if (torch !== undefined) print(`PyTorch ${torch.version} ${torch.vectors}`);
  if (rows.some(({ onnx }) => onnx !== undefined)) print(ONNXRUNTIME);
  for (const peer of leftOut) print(`Left out: ${peer}`);
  await compareOperations(rows);
  const memory = await inProcess<EpochMemory>("epochs", [LARGEST, cores, EPOCHS]);
  print(
    `Training on exams of up to ${LARGEST} slices, ${threadsWord(cores)}: peak ` +
      `${memory.first.toFixed(0)} MB after the first exam, ` +
      `${
        memory.epochs.map((peak) => peak.toFixed(0)).join(", ")
      } MB after epochs 1 to ${EPOCHS}; ` +
      `resident after a collection ${memory.held.map((held) => held.toFixed(0)).join(", ")} MB`,
  );
  const answer = await measureFirstAnswer(weights, SIDE, repeats);
  for (const line of firstAnswerLines(answer)) print(line);
  printGoals(rows, { memory, answer });
  print(`The bench took ${Math.round((performance.now() - started) / 1000)} s.`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(0);

/** Prints what each kernel takes, and its share of the peak of the threads that it runs on. */
async function printKernels(): Promise<void> {
  const peak = peakOfThread();
  print(
    `${description.title}; a step on an exam of ${SIDE}×${SIDE}; best of ${repeats}; seconds of all ` +
      `threads; thousand millions of multiply-adds; the peak of a thread is ${
        (peak / 1e9).toFixed(1)
      } a second`,
  );
  for (const slices of sizes) {
    for (const threads of new Set([1, navigator.hardwareConcurrency])) {
      const { times, seconds } = await timeKernels(description, slices, threads, repeats);
      print(`${slices} slices, ${threadsWord(threads)}: ${seconds.toFixed(3)} s`);
      for (const line of kernelTable(times, peak)) print(line);
    }
  }
}

/** Prints how long a first answer takes and where that time goes, and ends. */
async function printFirst(weights: string): Promise<never> {
  const answer = await measureFirstAnswer(weights, SIDE, repeats);
  const phases = await measurePhases(weights, SIDE, repeats);
  print(`${description.title}; exams of ${SIDE}×${SIDE}; best of ${repeats}`);
  for (const line of firstAnswerLines(answer)) print(line);
  for (const line of phaseLines(answer, phases, await countModules())) print(line);
  await Deno.remove(folder, { recursive: true });
  Deno.exit(0);
}

/** Measures and prints the table. */
async function compare(network: string): Promise<Row[]> {
  const heads = ["slices", "threads", "step", "work", "forward", "peak"];
  heads.push("PyTorch step", "work", "forward", "peak", "ONNX forward");
  heads.push("step ratio", "forward ratio", "ONNX ratio");
  const widths = heads.map((head) => Math.max(head.length, 6));
  const line = (cells: string[]) =>
    print(cells.map((each, i) => each.padStart(widths[i])).join(" "));
  line(heads);
  const rows: Row[] = [];
  for (const slices of sizes) {
    for (const threads of cores === 1 ? [1] : [1, cores]) {
      let ours = await inProcess<Timings>("kernels", [slices, threads, repeats]);
      let torch = await inPython(slices, threads);
      let onnx = await inOnnxruntime(network, slices, threads);
      for (let turn = 1; turn < TURNS; turn++) {
        ours = least(ours, await inProcess<Timings>("kernels", [slices, threads, repeats]))!;
        torch = least(torch, await inPython(slices, threads));
        onnx = least(onnx, await inOnnxruntime(network, slices, threads));
      }
      const ratio = (pass: "step" | "forward", peer?: Partial<Timings>) => {
        return peer?.[pass] === undefined ? "–" : (ours[pass] / peer[pass]).toFixed(2);
      };
      line([
        ...[`${slices}`, `${threads}`, ...cells(ours), ...cells(torch)],
        ...[onnx?.forward.toFixed(3) ?? "–"],
        ...[ratio("step", torch), ratio("forward", torch), ratio("forward", onnx)],
      ]);
      rows.push({ slices, threads, ours, torch, onnx });
    }
  }
  for (const slices of sizes) {
    const [one, all] = rows.filter((row) => row.slices === slices);
    if (all === undefined) continue;
    print(
      `${slices} slices: ${threadsWord(all.threads)} are ${
        faster(one, all, "step")
      } times as fast ` +
        `as one in a step, ${faster(one, all, "forward")} times in a forward pass`,
    );
  }
  return rows;
}

/** Our kernels against TensorFlow.js's operations with our gradients. */
async function compareOperations(rows: Row[]): Promise<void> {
  const of8 = rows.find(({ slices, threads }) => slices === 8 && threads === 1);
  const ours = of8?.ours ?? await inProcess<Timings>("kernels", [8, 1, repeats]);
  const plain = await inProcess<Timings>("operations", [8, 1, 1]);
  print(
    `8 slices, one thread, in TensorFlow.js's operations: step ${plain.step.toFixed(3)}, forward ` +
      `${plain.forward.toFixed(3)}, peak ${plain.peak.toFixed(0)} MB; our kernels are ` +
      `${(plain.step / ours.step).toFixed(1)} and ${
        (plain.forward / ours.forward).toFixed(1)
      } times as fast`,
  );
}

/** The numbers that this engine is to reach, and those that it has reached now. */
function printGoals(
  rows: Row[],
  { memory, answer }: { memory: EpochMemory; answer: FirstAnswer },
): void {
  const last = rows.findLast(({ slices }) => slices === TYPICAL);
  const alexnet = description.name === "alexnet";
  const [megabytes, step, forward] = alexnet ? [600, 0.85, 0.8] : [3000, 2, 2];
  const goals: [string, number | undefined, "≤" | "≥", number][] = [
    ["peak memory of training, MB", Math.max(...memory.epochs), "≤", megabytes],
    ["growth after collection, last epoch", memory.held.at(-1)! - memory.held.at(-2)!, "≤", 20],
    ["import of mod.ts, seconds", answer.import, "≤", 0.07],
    ["first answer, seconds", Math.max(answer.predict, answer.evaluate), "≤", 0.5],
  ];
  if (last?.torch) {
    const { ours, torch } = last;
    goals.push([`step on ${TYPICAL} slices, PyTorch's`, ours.step / torch.step, "≤", step]);
    goals.push([
      `forward on ${TYPICAL} slices, PyTorch's`,
      ours.forward / torch.forward,
      "≤",
      forward,
    ]);
  }
  if (last?.onnx && alexnet) {
    const found = last.ours.forward / last.onnx.forward;
    goals.push([`forward on ${TYPICAL} slices, onnxruntime's`, found, "≤", 1.1]);
  }
  for (const slices of sizes) {
    const [one, all] = rows.filter((row) => row.slices === slices);
    if (all === undefined) continue;
    const name = `all threads against one, ${slices} slices`;
    goals.push([name, Number(faster(one, all, "step")), "≥", 1.7]);
  }
  print("What is to be reached:");
  for (const [name, found, relation, goal] of goals) {
    if (found === undefined || Number.isNaN(found)) continue;
    const reached = relation === "≤" ? found <= goal : found >= goal;
    const shown = found.toFixed(found >= 20 ? 0 : 3).padStart(8);
    print(`  ${name.padEnd(40)}${shown} ${relation} ${goal}${reached ? "" : "   missed"}`);
  }
}

function faster(one: Row, all: Row, pass: "step" | "forward"): string {
  return (one.ours[pass] / all.ours[pass]).toFixed(2);
}

async function inProcess<T>(kind: Kind | "epochs", counts: number[]): Promise<T> {
  const script = new URL("cpu_process.ts", import.meta.url).pathname;
  const flags = ["--no-check", "--v8-flags=--expose-gc"];
  const args = ["run", "-A", ...flags, script, kind, description.name, ...counts.map(String)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** PyTorch's timings, from the first Python that has it; `undefined` where none has. */
async function inPython(slices: number, threads: number): Promise<Torch | undefined> {
  const script = new URL("step_torch.py", import.meta.url).pathname;
  const args = [script, ...[slices, SIDE, repeats, threads, "cpu", description.name].map(String)];
  for (const python of ["python3", "/usr/bin/python3"]) {
    const run = await new Deno.Command(python, { args }).output().catch(() => undefined);
    if (run?.success) return JSON.parse(new TextDecoder().decode(run.stdout));
  }
  leftOut.add("PyTorch: no python3 here has torch and torchvision");
  return undefined;
}

/** onnxruntime's timing; `undefined` where it cannot be had, which is asked once. */
async function inOnnxruntime(
  network: string,
  slices: number,
  threads: number,
): Promise<{ forward: number } | undefined> {
  if ([...leftOut].some((line) => line.startsWith("onnxruntime"))) return undefined;
  const script = new URL("onnxruntime.ts", import.meta.url).pathname;
  // Without the lock file: the package is no dependency, and must not become one.
  const args = ["run", "-A", "--no-lock", "--no-check", script, network];
  args.push(...[slices, SIDE, threads, repeats].map(String));
  try {
    const signal = AbortSignal.timeout(PEER_TIME);
    const run = await new Deno.Command(Deno.execPath(), { args, signal }).output();
    if (run.success) return JSON.parse(new TextDecoder().decode(run.stdout));
    throw new Error(new TextDecoder().decode(run.stderr).split("\n").find((line) => line !== ""));
  } catch (error) {
    leftOut.add(`onnxruntime-node: ${messageOf(error)}`);
    return undefined;
  }
}

/** The lesser of each number of two measurements. */
function least<T extends { forward: number }>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const others = b as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(a).map(([name, value]) => {
      const other = others[name];
      return [
        name,
        typeof value === "number" && typeof other === "number" ? Math.min(value, other) : value,
      ];
    }),
  ) as T;
}

function cells(timings: Timings | undefined): string[] {
  if (timings === undefined) return ["–", "–", "–", "–"];
  const { step, work, forward, peak } = timings;
  return [step.toFixed(3), work.toFixed(3), forward.toFixed(3), peak.toFixed(0)];
}

function threadsWord(count: number): string {
  return count === 1 ? "one thread" : `${count} threads`;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
