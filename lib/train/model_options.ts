/**
 * What only the training of a model can be given, since no file can hold it: functions, and what becomes
 * of single parameters.
 */
import type { SourceMatrix } from "../data/augment.ts";
import { type Exam, MAX_SLICES, MAX_VOXELS, MIN_SIDE } from "../data/exam.ts";
import { OptionError } from "../errors.ts";
import { untrainable } from "../model/frozen.ts";
import { featureParameters } from "../model/names.ts";
import { networkOf } from "../network/networks.ts";
import type { MRNet } from "../model/mrnet.ts";
import { nearest } from "../nearest.ts";
import type { OptionNames } from "../option_names.ts";
import type { Random } from "../random.ts";
import { TRAIN_OPTION_NAMES } from "./option_names.ts";
import type { TrainOptions } from "./options.ts";
import { resolveTrainOptions } from "./resolve.ts";

/**
 * Where each pixel of a slice comes from, in pixels from the upper left: the pixel at column `x` and row
 * `y` is that at column `a·x + b·y + c` and row `d·x + e·y + f`, bilinearly between pixels; beyond the
 * edge the edge's pixels repeat. Each number is -1e6 to 1e6.
 */
export type PixelSource = readonly [
  readonly [a: number, b: number, c: number],
  readonly [d: number, e: number, f: number],
];

/**
 * Changes a training exam: returns another exam, of any size, or says where its pixels come from, which
 * the engine then computes in the step itself. The exam that is given must stay as it is, and one that
 * is returned must not change later: steps may be under way when the next exam is asked for.
 *
 * @param exam as its dataset gives it
 * @param random a stream of the training's seed, the epoch and the exam: the same seed draws the same
 */
export type Augment = (exam: Exam, random: Random) => Exam | PixelSource;

/**
 * How to train a model on datasets; the defaults are the reference's, {@linkcode TRAIN_DEFAULTS}. A run
 * on folders has none of what is added here: its state does not hold it, so it could not be resumed.
 */
export interface TrainModelOptions extends Omit<TrainOptions, "learningRate"> {
  /**
   * Step size of Adam, above 0: at the start, changed by the schedule; or a function of the epoch,
   * counted from 1, which takes the schedule's place. It is asked for all epochs before the first.
   * @default 1e-5
   */
  learningRate?: number | ((epoch: number) => number);
  /**
   * The parameters that stay as they are, by their names in {@linkcode MRNet.parameters}, or `features`
   * for all convolutions. They have no weight decay, and their moments in Adam stay 0. With `features`
   * there is no backward pass through the convolutions, so a step is faster. Parameters whose
   * `trainable` is false when training begins stay too.
   * @default none
   */
  freeze?: "features" | readonly string[];
  /**
   * Changes each training exam in place of the rotation, the shift, the flip and the changes of grey
   * values: a function of exam and random stream, or one matrix for all exams.
   * @default the recipe's rotation, shift and flip, and the changes of grey values that are asked for
   */
  augmentation?: Augment | PixelSource;
  /**
   * Leave the model with the parameters of its best epoch: the first with the highest validation AUC. If
   * no epoch has an AUC above 0, or training throws, they are those of the last step.
   * @default false
   */
  keepBest?: boolean;
}

/** The options of a training of a model. */
export const TRAIN_MODEL_OPTION_NAMES: OptionNames<TrainModelOptions> = {
  ...TRAIN_OPTION_NAMES,
  freeze: true,
  augmentation: true,
  keepBest: true,
};

/** The names of what is added to the options of a run. */
const ADDED_NAMES = ["freeze", "augmentation", "keepBest"] as const;

/** No slice is so large that its pixels could come from farther; float32 must hold their sums. */
const MAX_SOURCE = 1e6;
const MATRIX_RULE = "2 rows of 3 numbers of -1e6 to 1e6";

/** What the trainer does otherwise than by its settings. */
export interface TrainChanges {
  /** The names of the parameters that stay as they are. */
  frozen: ReadonlySet<string>;
  /** Changes a training exam. */
  augment?: (exam: Exam, random: Random) => Exam | SourceMatrix;
  /** The learning rate of each epoch, from the first. */
  rates?: readonly number[];
}

/**
 * Refuses, in a run on folders, the options that only the training of a model has.
 *
 * @throws {OptionError} if there is one
 */
export function checkRunOptions(run: object): void {
  const { learningRate, ...given } = run as Readonly<Record<string, unknown>>;
  const added = typeof learningRate === "function"
    ? "learningRate"
    : ADDED_NAMES.find((name) => given[name] !== undefined);
  if (added === undefined) return;
  const what = added === "learningRate" ? "a learningRate for each epoch" : added;
  throw new OptionError(
    `Cannot train a run with ${what}: its state does not hold it, so it could not be resumed: ` +
      `give a model and datasets, as train(model, { train, valid }, { ${added} })`,
  );
}

/**
 * Checks the options, and tells apart what is a setting and what changes how the trainer works.
 *
 * @throws {OptionError} if one is out of its range, two do not go together, or nothing is left to train
 */
export function resolveModelOptions(
  model: MRNet,
  { learningRate, freeze = [], augmentation, keepBest = false, ...rest }: TrainModelOptions,
): { options: TrainOptions; changes: TrainChanges; keepBest: boolean } {
  if (typeof keepBest !== "boolean") throw _refusal("keepBest", keepBest, "true or false");
  const frozen = _frozen(model, freeze);
  const options: TrainOptions = typeof learningRate === "function"
    ? { ...rest }
    : { ...rest, learningRate };
  const { epochs } = resolveTrainOptions(options);
  const changes: TrainChanges = { frozen };
  if (typeof learningRate === "function") {
    // A schedule that does nothing is no contradiction.
    const schedule = rest.schedule === "none" ? [] : ["schedule"] as const;
    const others = [...schedule, "gamma", "plateauPatience", "plateauFactor"] as const;
    _checkAlone("a learningRate for each epoch", rest, others);
    changes.rates = _rates(learningRate, epochs);
    options.learningRate = changes.rates[0];
    options.schedule = "none";
  }
  if (augmentation !== undefined) {
    const augment = rest.augment === false ? [] : ["augment"] as const;
    const greys = ["brightness", "contrast", "logGamma", "noiseStd", "biasField"] as const;
    const all = [...augment, "rotation", "shift", "flip", ...greys] as const;
    _checkAlone("an augmentation", rest, all);
    changes.augment = _augment(augmentation);
  }
  return { options, changes, keepBest };
}

function _frozen(model: MRNet, freeze: unknown): ReadonlySet<string> {
  const names = freeze === "features"
    ? featureParameters(networkOf(model.network)).map(({ name }) => name)
    : freeze;
  if (!Array.isArray(names)) {
    throw _refusal("freeze", freeze, "'features' or an array of parameters' names");
  }
  const all = [...model.parameters.keys()];
  for (const name of names) {
    if (all.includes(name)) continue;
    const meant = nearest(`${name}`, all);
    const hint = meant === undefined ? `choose from ${all.join(", ")}` : `did you mean '${meant}'?`;
    throw new OptionError(
      `Cannot freeze '${name}': the model has no parameter of that name: ${hint}`,
    );
  }
  const frozen = new Set([...names, ...untrainable(model.parameters)]);
  if (frozen.size < all.length) return frozen;
  throw new OptionError(
    "Cannot train a model whose parameters are all frozen: leave out one of freeze, or set its " +
      "trainable to true",
  );
}

function _rates(learningRate: (epoch: number) => number, epochs: number): number[] {
  return Array.from({ length: epochs }, (_, index) => {
    const rate: unknown = learningRate(index + 1);
    if (typeof rate === "number" && Number.isFinite(rate) && rate > 0) return rate;
    throw new OptionError(
      `Cannot train with learningRate ${rate} in epoch ${index + 1}: give a number above 0`,
    );
  });
}

/** Refuses settings that something given takes the place of. */
function _checkAlone(
  what: string,
  given: TrainOptions,
  names: readonly (keyof TrainOptions)[],
): void {
  const too = names.find((name) => given[name] !== undefined);
  if (too === undefined) return;
  throw new OptionError(`Cannot train with ${what} and ${too}: leave one of the two out`);
}

function _augment(given: Augment | PixelSource): TrainChanges["augment"] {
  if (typeof given !== "function") {
    const matrix = _matrix(given);
    if (matrix === undefined) {
      throw _refusal("augmentation", given, `a function or ${MATRIX_RULE}`);
    }
    return () => matrix;
  }
  return (exam, random) => {
    const made: unknown = given(exam, random);
    const matrix = _matrix(made);
    if (matrix !== undefined) return matrix;
    if (_isExam(made)) return { ...made, id: exam.id };
    throw new OptionError(
      `Cannot train on what augmentation made of exam '${exam.id}': it is neither an exam nor ` +
        `${MATRIX_RULE}: return one of the two`,
    );
  };
}

function _matrix(value: unknown): SourceMatrix | undefined {
  const isNumber = (each: unknown) =>
    typeof each === "number" && Number.isFinite(each) && Math.abs(each) <= MAX_SOURCE;
  const isRow = (row: unknown) => Array.isArray(row) && row.length === 3 && row.every(isNumber);
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isRow)) return undefined;
  return value.flat() as unknown as SourceMatrix;
}

function _isExam(value: unknown): value is Exam {
  if (typeof value !== "object" || value === null) return false;
  const { slices, height, width, voxels } = value as Partial<Exam>;
  const isSide = (side: unknown) => Number.isInteger(side) && side as number >= MIN_SIDE;
  return Number.isInteger(slices) && slices! >= 1 && slices! <= MAX_SLICES && isSide(height) &&
    isSide(width) && (voxels instanceof Uint8Array || voxels instanceof Float32Array) &&
    voxels.length <= MAX_VOXELS && voxels.length === slices! * height! * width!;
}

function _refusal(name: string, value: unknown, range: string): OptionError {
  const shown = typeof value === "number" ? value : `'${value}'`;
  return new OptionError(`Cannot train with ${name} ${shown}: give ${range}`);
}
