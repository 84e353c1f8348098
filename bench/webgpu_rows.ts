/**
 * What the WebGPU bench measures of a network, ours or TensorFlow.js's, and the product of matrices that
 * stands for what the adapter can do.
 */
import { bestOfEach } from "./best_of.ts";
import type { LabelledExam } from "../lib/data/dataset.ts";
import { createRandom } from "../lib/random.ts";
import { type Started, withInFlight } from "../lib/train/in_flight.ts";
import type { EngineNetwork } from "../lib/model/engine_network.ts";
import { evaluateExam, type ExamResult, trainOnExam } from "../lib/train/exam_result.ts";

/** Height and width of a slice. */
export const SIZE = 256;

/** How many exams are under way beside the one that is waited for, as in training on WebGPU. */
const IN_FLIGHT = 8;

/** About how long calls are timed together, in seconds: a read waits for up to ten milliseconds. */
const TOGETHER = 2;
const MAX_CALLS = 400;

/** What a step and a forward pass take, in seconds. */
export interface Times {
  /** One of many that are under way, as in training. */
  step: number;
  /** One that is waited for before anything else is done. */
  stepAlone: number;
  forward: number;
  forwardAlone: number;
}

/** A row of the table. */
export interface Row extends Times {
  name: string;
  slices: number;
  /** Of a step; not known of PyTorch. */
  dispatches?: number;
  /** The most memory on the card, in megabytes; not known of PyTorch on a processor. */
  peak?: number;
}

/** An exam of noise: its values do not change the time. */
export function makeExam(slices: number): LabelledExam {
  const random = createRandom(1, "bench");
  const voxels = new Uint8Array(slices * SIZE * SIZE);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { exam: { id: "bench", slices, height: SIZE, width: SIZE, voxels }, label: 1 };
}

/** Times networks in turns, so that what else is running slows all alike. */
export async function timeNetworks(
  networks: readonly EngineNetwork[],
  exam: LabelledExam,
  repeats: number,
): Promise<Times[]> {
  const [step, stepAlone] = await _time(
    networks.map((network) => () => trainOnExam(network, exam, [1, 3])),
    repeats,
  );
  const [forward, forwardAlone] = await _time(
    networks.map((network) => () => evaluateExam(network, exam, [1, 3])),
    repeats,
  );
  return networks.map((_, index) => ({
    step: step[index],
    stepAlone: stepAlone[index],
    forward: forward[index],
    forwardAlone: forwardAlone[index],
  }));
}

/** Seconds of each kind of call where many are under way, and where it is alone. */
async function _time(
  starts: (() => Promise<ExamResult>)[],
  repeats: number,
): Promise<[together: number[], alone: number[]]> {
  const alone = await bestOfEach(repeats, starts);
  const calls = Math.min(MAX_CALLS, Math.ceil(TOGETHER / Math.min(...alone)));
  // Where a call takes seconds, ten milliseconds are nothing.
  if (calls <= 2) return [alone, alone];
  const together = await bestOfEach(repeats, starts.map((start) => () => _underWay(calls, start)));
  return [together.map((seconds) => seconds / calls), alone];
}

/** Makes calls as training does it: the next ones start before the results of the first are there. */
async function _underWay(calls: number, start: () => Promise<ExamResult>): Promise<void> {
  async function* exams(): AsyncGenerator<Started> {
    for (let call = 0; call < calls; call++) yield { id: "bench", label: 1, result: start() };
  }
  for await (const _ of withInFlight(exams(), IN_FLIGHT));
}

/** A product of matrices, large enough to keep the adapter busy; it suits our tiles. */
export function yardstick(software: boolean) {
  const [rows, inner, columns] = software ? [4096, 512, 256] : [8192, 2048, 2048];
  const words = `${rows}×${inner}×${columns}`;
  return { rows, inner, columns, multiplyAdds: rows * inner * columns, words };
}

/** A rate of multiply-adds in words. */
export function rateWords(multiplyAdds: number): string {
  return multiplyAdds < 5e11
    ? `${(2 * multiplyAdds / 1e9).toFixed(1)} GFLOPS`
    : `${(2 * multiplyAdds / 1e12).toFixed(2)} TFLOPS`;
}

/** Prints a line at once. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
