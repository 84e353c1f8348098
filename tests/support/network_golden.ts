/**
 * The network's reference numbers, and how far an engine is from them.
 */
import type { ExamSize } from "../../lib/data/exam.ts";
import type { LabelledExam } from "../../lib/data/dataset.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { mrnetParameters } from "../../lib/model/names.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { type NetworkName, networkOf } from "../../lib/network/networks.ts";
import type { Label } from "../../lib/terms.ts";
import type { AdamOptions } from "../../lib/model/adam.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { EngineNetwork } from "../../lib/model/engine_network.ts";
import { evaluateExam } from "../../lib/train/exam_result.ts";
import { seededExam, seededState, type Sketch, sketch } from "./seeded.ts";

/** Sketches of a network's parameters by their names. */
export type Sketches = Record<string, Sketch>;

/** A case of tests/golden/network.json or of another network's file there. */
export interface NetworkCase extends ExamSize {
  /** What was computed: its file says it once for all cases. */
  network: NetworkName;
  /** Its size, such as `2x64x64`. */
  name: string;
  /** Seed of the first step's exam; each further step's is 1 higher. */
  seed: number;
  logits: [number, number];
  /** The first exam's loss where it is negative, then the loss of each step. */
  losses: number[];
  /** The first exam's gradient where it is negative; kept of the small cases. */
  gradient_absent?: Sketches;
  /** The first exam's gradient where it is positive. */
  gradient_present: Sketches;
  /** Kept of AlexNet. */
  parameters_1?: Sketches;
  parameters_10: Sketches;
  /**
   * How far PyTorch in float32 is from PyTorch in float64, as far as that was computed: of ResNet-18 all
   * steps of small exams, and one of others of one slice.
   */
  own_rounding?: Differences;
}

/** The relative differences from the reference: see {@linkcode DIFFERENCES}. */
export interface Differences {
  logits: number;
  losses: number;
  gradients: number;
  parameters_1?: number;
  parameters_10?: number;
  change_10?: number;
}

/** What each difference is of. */
export const DIFFERENCES: Record<keyof Differences, string> = {
  logits: "logits",
  losses: "losses",
  gradients: "gradients",
  parameters_1: "parameters after 1 step",
  parameters_10: "parameters after 10 steps",
  change_10: "their change in 10 steps",
};

interface NetworkGolden {
  network: NetworkName;
  positive_weight: number;
  weights_seed: number;
  steps: number;
  sketch_seed: number;
  buckets: number;
  samples: number;
  cases: Omit<NetworkCase, "network">[];
}

/** Reads a file of tests/golden, also in a page that this module was served to. */
export async function readGolden<T>(name: string): Promise<T> {
  return await (await fetch(new URL(`../golden/${name}.json`, import.meta.url))).json();
}

const goldens = new Map<NetworkName, NetworkGolden>();
for (const file of ["network", "resnet18"]) {
  const golden = await readGolden<NetworkGolden>(file);
  goldens.set(golden.network, golden);
}

/** The networks that there are reference numbers of. */
export const GOLDEN_NETWORKS: readonly NetworkName[] = [...goldens.keys()];

/** Every case of a network. */
export function casesOf(network: NetworkName): readonly NetworkCase[] {
  return goldens.get(network)!.cases.map((each) => ({ ...each, network }));
}

/** Every case of AlexNet. */
export const NETWORK_CASES: readonly NetworkCase[] = casesOf("alexnet");

const initial = new Map<NetworkName, StateDict>();

/** The weights that every case of a network starts from. */
export function goldenState(network: NetworkName = "alexnet"): StateDict {
  let state = initial.get(network);
  if (state === undefined) {
    state = seededState(goldens.get(network)!.weights_seed, networkOf(network));
    initial.set(network, state);
  }
  return state;
}

/** Makes what computes the steps; where it is left out, what training takes on the engine. */
export type MakeNetwork = (model: MRNet, options?: AdamOptions) => Promise<EngineNetwork>;

/** How many times the gradient {@linkcode gradientOf} moves the parameters. */
const SCALE = 1e6;

/**
 * The gradient of one exam's loss at the golden weights, in PyTorch's names and layout.
 *
 * It is read off a step of the network that trains, whatever that computes in one go: with both betas
 * 0, an epsilon E that dwarfs the gradient g, and the learning rate E·SCALE, Adam's step is
 * E·SCALE·g/(|g| + E), which is SCALE·g to the last bit. The parameters are then SCALE·g but for the
 * small number they were before.
 */
export async function gradientOf(
  exam: LabelledExam,
  makeNetwork: MakeNetwork = createNetwork,
  networkName: NetworkName = "alexnet",
): Promise<StateDict> {
  const epsilon = 1e12;
  const options = { learningRate: epsilon * SCALE, beta1: 0, beta2: 0, epsilon, weightDecay: 0 };
  const initial = goldenState(networkName);
  const model = new MRNet(initial);
  const network = await makeNetwork(model, options);
  try {
    await network.step(exam, [1, goldens.get(networkName)!.positive_weight]);
    const { parameters: state } = await network.snapshot();
    for (const [name, { data }] of state) {
      const before = initial.get(name)!.data;
      data.forEach((after, i) => data[i] = (before[i] - after) / SCALE);
    }
    return state;
  } finally {
    network.dispose();
    model.dispose();
  }
}

/** What a case comes to on the current engine. */
export interface NetworkOutcome {
  /** As the network evaluates the exam, then as the model predicts it. */
  logits: number[];
  losses: number[];
  gradient_absent?: StateDict;
  gradient_present: StateDict;
  parameters_1?: StateDict;
  parameters_10?: StateDict;
}

/**
 * Runs a case on the current engine.
 *
 * @param depth `first`: a gradient and a step; `all`: everything the case has
 */
export async function runNetworkCase(
  reference: NetworkCase,
  depth: "first" | "all",
  makeNetwork: MakeNetwork = createNetwork,
): Promise<NetworkOutcome> {
  const { network: networkName, seed, slices, height, width } = reference;
  const examAt = (step: number) => seededExam(seed + step, { slices, height, width });
  const exam = examAt(0);
  const { positive_weight, steps } = goldens.get(networkName)!;
  const weights = [1, positive_weight] as const;
  const model = new MRNet(goldenState(networkName));
  const network = await makeNetwork(model);
  try {
    const predicted = await model.predict(exam);
    const evaluated = await evaluateExam(network, { exam, label: 0 }, weights);
    const losses = [evaluated.loss];
    const step = async (index: number) => {
      const labelled = { exam: examAt(index), label: (1 - index % 2) as Label };
      losses.push((await network.step(labelled, weights)).loss);
    };
    const parameters = async () => (await network.snapshot()).parameters;
    await step(0);
    const outcome: NetworkOutcome = {
      logits: [...evaluated.logits, ...predicted.logits],
      losses,
      gradient_present: await gradientOf({ exam, label: 1 }, makeNetwork, networkName),
    };
    if (reference.parameters_1) outcome.parameters_1 = await parameters();
    if (depth === "first") return outcome;
    if (reference.gradient_absent) {
      outcome.gradient_absent = await gradientOf({ exam, label: 0 }, makeNetwork, networkName);
    }
    for (let index = 1; index < steps; index++) await step(index);
    return { ...outcome, parameters_10: await parameters() };
  } finally {
    network.dispose();
    model.dispose();
  }
}

type TensorGroup = "gradient_absent" | "gradient_present" | "parameters_1" | "parameters_10";

/** How far an outcome is from the reference; of tensors the worst one counts. */
export function compareNetwork(reference: NetworkCase, ours: NetworkOutcome): Differences {
  const { network } = reference;
  const differenceOf = (group: TensorGroup, base?: StateDict): number | undefined => {
    const [found, expected] = [ours[group], reference[group]];
    return found && expected && worst(compareTensors(found, expected, { network, base }));
  };
  const gradients = (["gradient_absent", "gradient_present"] as const).map((group) =>
    differenceOf(group) ?? 0
  );
  const differences: Differences = {
    logits: worstNumber(ours.logits, [...reference.logits, ...reference.logits]),
    losses: worstNumber(ours.losses, reference.losses),
    gradients: Math.max(...gradients),
  };
  const [after1, after10] = [differenceOf("parameters_1"), differenceOf("parameters_10")];
  if (after1 !== undefined) differences.parameters_1 = after1;
  if (after10 !== undefined) {
    differences.parameters_10 = after10;
    differences.change_10 = differenceOf("parameters_10", goldenState(network));
  }
  return differences;
}

/**
 * How far each tensor is from the reference: the L2 norm of the difference relative to the
 * reference's norm, as the sketches tell it. The differences of the norms and of the sampled values
 * are bounds from below, so they count where they are larger.
 *
 * @param base what to take off the reference first, where its change since then is what counts
 */
export function compareTensors(
  ours: StateDict,
  theirs: Sketches,
  { network = "alexnet", base }: { network?: NetworkName; base?: StateDict } = {},
): Map<string, number> {
  const { sketch_seed: seed, buckets, samples } = goldens.get(network)!;
  const differences = mrnetParameters(networkOf(network)).map(({ name }, index) => {
    const { data } = ours.get(name)!;
    const own = sketch(data, index, { seed, buckets, samples });
    const { norm, samples: values, sketch: sums } = theirs[name];
    const difference = Math.max(
      Math.hypot(...own.sketch.map((sum, i) => sum - sums[i])),
      Math.abs(own.norm - norm),
      ...own.samples.map((value, i) => Math.abs(value - values[i])),
    );
    const start = base?.get(name)?.data;
    const change = start
      ? Math.sqrt(data.reduce((sum, value, i) => sum + (value - start[i]) ** 2, 0))
      : norm;
    return [name, difference / change] as const;
  });
  return new Map(differences);
}

/** The largest difference; NaN where one is. */
export function worst(differences: ReadonlyMap<string, number>): number {
  return Math.max(...differences.values());
}

/** The largest relative difference of two lists of numbers. */
export function worstNumber(ours: readonly number[], theirs: readonly number[]): number {
  return Math.max(...ours.map((value, i) => Math.abs(value / theirs[i] - 1)));
}
