/**
 * The state of a run, from which it is resumed: `state.safetensors` in its log folder. Parameters and
 * Adam's moments are tensors in PyTorch's names and layout; the rest is JSON in the metadata.
 */
import { DataError, messageOf, OptionError, OutputError, WeightsError } from "../errors.ts";
import { checkPlainFile, fileError, writeWhole } from "../files.ts";
import { decodeKnownExams, encodeKnownExams, type KnownExams } from "../data/exam_hash.ts";
import { type Landmarks, parseLandmarks } from "../data/landmarks.ts";
import type { OptimizerState } from "../model/optimizer_state.ts";
import { mrnetParameters, mrnetTensors } from "../model/names.ts";
import { networkOfState, selectMRNet } from "../model/weights/mrnet.ts";
import { NETWORK_NAMES, networkOf } from "../network/networks.ts";
import type { Parameter } from "../network/parameters.ts";
import { encodeSafetensors, readSafetensorsFrom } from "../model/weights/safetensors.ts";
import { MAX_HEADER_BYTES } from "../model/weights/safetensors_header.ts";
import { openSource, type Source } from "../model/weights/source.ts";
import { quoted } from "../quoted.ts";
import { elementCount, type StateDict } from "../model/weights/tensors.ts";
import { type EngineName, ENGINES } from "../engine/engine.ts";
import { type Precision, PRECISIONS } from "../engine/webgpu/precision.ts";
import { parseProgress, progressJson } from "./progress_json.ts";
import type { TrainProgress } from "./progress.ts";
import { parseSettings, type RunSettings } from "./kept_settings.ts";
import { record } from "./run_config.ts";
import { isRunSecret } from "./run_secret.ts";

/** The name of the file in a run's folder. */
export const STATE_FILE = "state.safetensors";

const FORMAT = "mrnet-run";
const VERSION = 1;

/**
 * The most exams of a run, to train on and to validate on together: the results of one take up to 80
 * bytes of the header, which has {@linkcode MAX_HEADER_BYTES} with all else that is in it.
 */
export const MAX_EXAMS = 12_000;

/** The most bytes of the header: for an exam, for an epoch, for an exam that was known before, for all else. */
const MAX_BYTES = { exam: 80, epoch: 120, earlier: 11, rest: 8192 } as const;

/** The run's number in states of earlier versions: a UUID in place of a secret. */
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What begins the names of Adam's moments. */
const MOMENTS_PREFIX = "adam.";
const MOMENTS = {
  first: `${MOMENTS_PREFIX}first.`,
  second: `${MOMENTS_PREFIX}second.`,
} as const;

/** The state of a run. */
export interface RunState {
  /** The secret that tells the run and its models from others: see {@linkcode runMark}. */
  run: string;
  /** The run's folder when the state was saved. */
  folder: string;
  /** How it trains, under the names of the command line. */
  config: RunSettings;
  /** Hashes of the labels to train on and to validate on. */
  labels: { train: string; valid: string };
  /** What the training exams look like; states of earlier versions do not say it. */
  landmarks?: Landmarks;
  /** The exams that the model it started from knows; see the model's card. */
  earlierExams?: KnownExams;
  /** What computed it so far. */
  computed: { engine: EngineName; threads: number; precision: Precision };
  progress: TrainProgress;
  /** The name of the file of the best model so far, in the folder of models. */
  checkpoint?: string;
  /** The event file, and how long it was. */
  events: { name: string; size: number };
  /** The parameters, and the statistics of batch normalisations, in PyTorch's layout. */
  parameters: StateDict;
  /** Nothing before the first step. */
  optimizer?: OptimizerState;
}

/**
 * The most epochs that a state has room for, beside the results of so many exams and the hashes of the
 * exams that the model it started from knows.
 */
export function maxEpochs(exams: number, earlier = 0): number {
  const { rest, exam, earlier: hash, epoch } = MAX_BYTES;
  return Math.floor((MAX_HEADER_BYTES - rest - exam * exams - hash * earlier) / epoch);
}

/**
 * Makes sure, before a run begins, that there will be room for its exams and epochs.
 *
 * @throws {DataError} if there are more exams than {@linkcode MAX_EXAMS}
 * @throws {OptionError} if there may be more epochs than {@linkcode maxEpochs}
 */
export function checkRoom(exams: number, epochs: number): void {
  if (exams <= MAX_EXAMS && epochs <= maxEpochs(exams)) return;
  if (exams <= MAX_EXAMS) {
    throw new OptionError(
      `Cannot train for ${epochs} epochs: beside the metrics of ${exams} exams a run's state has room ` +
        `for ${maxEpochs(exams)} epochs: give that many or fewer as --epochs`,
    );
  }
  throw new DataError(
    `Cannot train on ${exams} exams: a run's state has room for the metrics of ${MAX_EXAMS}, those ` +
      "to validate on among them: give fewer exams",
  );
}

/** Writes the file; the earlier one stays until the new one is whole. */
export async function writeRunState(path: string, state: RunState): Promise<void> {
  await writeWhole(path, encodeRunState(state));
}

/**
 * The bytes of the file, in chunks.
 *
 * @throws {OutputError} if the header would be larger than allowed
 */
export function encodeRunState(state: RunState): Uint8Array[] {
  const { parameters, optimizer, progress, earlierExams, ...rest } = state;
  const tensors: StateDict = new Map(parameters);
  if (optimizer !== undefined) {
    const trained = mrnetParameters(networkOf(networkOfState(parameters)));
    for (const which of ["first", "second"] as const) {
      for (const { name, shape } of trained) {
        const data = optimizer[which].get(name)!;
        tensors.set(MOMENTS[which] + name, { shape: [...shape], data });
      }
    }
  }
  const text = JSON.stringify({
    ...rest,
    earlierExams: earlierExams && encodeKnownExams(earlierExams),
    steps: optimizer?.steps ?? 0,
    ...progressJson(progress),
  });
  const chunks = encodeSafetensors(tensors, {
    ...{ format: FORMAT, version: String(VERSION), state: text },
  });
  if (chunks[0].length <= MAX_HEADER_BYTES) return chunks;
  const { train, valid, epochs, skipped } = progress;
  throw new OutputError(
    `Cannot save the state of a run: the metrics of ${train.length + valid.length} exams and ` +
      `${epochs.length} epochs and the reasons for ${skipped.length} exams left out take ` +
      `${
        chunks[0].length
      } bytes, and ${MAX_HEADER_BYTES} are allowed, room for ${MAX_EXAMS} exams: ` +
      "train on fewer exams or for fewer epochs",
  );
}

/**
 * Reads the file.
 *
 * @throws {WeightsError} if it is none, or is damaged
 * @throws {PermissionError} if Deno may not read it
 */
export async function readRunState(path: string): Promise<RunState> {
  const action = { what: "go on from", path, access: "read", error: WeightsError } as const;
  await checkPlainFile(path).catch((error) => {
    throw fileError(error, action);
  });
  using source = await openSource(path);
  return readRunStateFrom(source);
}

/** Reads a state from a source that is open already. */
export function readRunStateFrom(source: Source): RunState {
  const sizes = new Map<string, Set<number>>();
  for (const network of NETWORK_NAMES.map(networkOf)) {
    for (const { name, shape } of mrnetTensors(network)) {
      for (const begin of ["", ...Object.values(MOMENTS)]) {
        const known = sizes.get(begin + name) ?? new Set();
        sizes.set(begin + name, known.add(elementCount(shape)!));
      }
    }
  }
  const { tensors, metadata } = readSafetensorsFrom(source, {
    // Tensors of other sizes are not read into memory.
    want: (name, shape) => sizes.get(name)?.has(elementCount(shape) ?? -1) ?? false,
  });
  const { name } = source;
  const { steps, ...said } = _guarded(name, () => {
    if (metadata.format === FORMAT && metadata.version === String(VERSION)) {
      return _parse(metadata.state ?? "null");
    }
    throw new RangeError(`it is no state of a run, of version ${VERSION}`);
  });
  const given = [...tensors].filter(([key]) => !key.startsWith(MOMENTS_PREFIX));
  const parameters = selectMRNet(new Map(given), name);
  const trained = mrnetParameters(networkOf(networkOfState(parameters)));
  const optimizer = steps === 0 ? undefined : _guarded(name, () => ({
    steps,
    first: _moments(tensors, MOMENTS.first, trained),
    second: _moments(tensors, MOMENTS.second, trained),
  }));
  return { ...said, parameters, optimizer };
}

/** The state without its tensors. */
export type RunStateHeader = Omit<RunState, "parameters" | "optimizer"> & { steps: number };

/**
 * Decodes the state without its tensors, which is JSON in the metadata.
 *
 * @throws {WeightsError} if it is anything else
 */
export function decodeRunStateHeader(text: string, name: string): RunStateHeader {
  return _guarded(name, () => _parse(text));
}

function _guarded<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new WeightsError(
      `Cannot go on from '${name}': ${quoted(messageOf(error)).slice(1, -1)}: ` +
        `give the ${STATE_FILE} that a run has left, or start anew`,
    );
  }
}

function _parse(json: string): RunStateHeader {
  const value = record(JSON.parse(json), "what it says");
  const { run, folder, config, labels, landmarks, computed, checkpoint, events, steps } = value;
  const { earlierExams } = value;
  const { train, valid } = record(labels, "its labels");
  const { engine, threads, precision } = record(computed, "its engine");
  const file = record(events, "its events");
  const sound = typeof run === "string" && (RUN_ID.test(run) || isRunSecret(run)) && text(folder) &&
    text(train) &&
    text(valid) && text(file.name) &&
    (checkpoint === undefined || text(checkpoint)) && whole(file.size) && whole(threads) &&
    ENGINES.includes(engine as EngineName) && PRECISIONS.includes(precision as Precision) &&
    whole(steps);
  if (!sound) throw new RangeError("what it says is not whole");
  const progress = parseProgress(value);
  const trained = progress.epochs.length > 0 || progress.train.some((each) => each !== null);
  if (trained !== (steps as number) > 0) {
    throw new RangeError("the steps that it has taken are not those of its exams");
  }
  return {
    run: run as string,
    folder: folder as string,
    config: parseSettings(record(config, "its config")),
    labels: { train: train as string, valid: valid as string },
    landmarks: landmarks === undefined
      ? undefined
      : parseLandmarks(record(landmarks, "its landmarks")),
    ...(earlierExams !== undefined && { earlierExams: decodeKnownExams(earlierExams) }),
    computed: { engine, threads, precision } as RunState["computed"],
    progress,
    checkpoint: checkpoint as string | undefined,
    events: { name: file.name as string, size: file.size as number },
    steps: steps as number,
  };
}

function _moments(
  tensors: StateDict,
  begin: string,
  trained: readonly Parameter[],
): Map<string, Float32Array> {
  const moments = new Map<string, Float32Array>();
  for (const { name, shape } of trained) {
    const tensor = tensors.get(begin + name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) {
      throw new RangeError(`'${begin}${name}' is not there, or has another shape`);
    }
    moments.set(name, tensor.data);
  }
  return moments;
}

function text(value: unknown): boolean {
  return typeof value === "string" && value.length <= 1000;
}

function whole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
