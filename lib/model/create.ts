/** Models made anew and models read from files. */
import { countAmong, type ExamHash, type KnownExams } from "../data/exam_hash.ts";
import type { Intensity, Preparation } from "../data/intensity.ts";
import type { Landmarks } from "../data/landmarks.ts";
import { coversTuneSplit, type TuneSplit } from "../data/tune.ts";
import { ensureEngine } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import { type WriteOptions, writeWhole } from "../files.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { drawSeed } from "../random.ts";
import { everTrainedOn, type ModelCard } from "./card.ts";
import { cardMetadata, readCard, readCardWith } from "./card_metadata.ts";
import { initialClassifier, initialWeights } from "./initialise.ts";
import { madeNow } from "./made_by.ts";
import { MRNet, type MRNetOptions } from "./mrnet.ts";
import { isRemote, type ModelSource, openModelSource } from "./model_source.ts";
import { encodeSafetensors } from "./weights/safetensors.ts";
import { quoted } from "../quoted.ts";
import type { Source } from "../source.ts";
import { handOver } from "./weights/mrnet.ts";
import { IMAGENET_CLASSES } from "./weights/lineage.ts";
import { type StateDict, weightsError } from "./weights/tensors.ts";
import type { Network } from "../network/network.ts";
import { NETWORK_NAMES, type NetworkName, networkOf } from "../network/networks.ts";

export type { NetworkName };

/** What a new model starts from. */
export interface CreateOptions {
  /**
   * - `imagenet`: the network as torchvision trained it on ImageNet, fetched once and kept
   * - `none`: random weights
   * - a URL: a copy of torchvision's file, whose name carries its hash too
   * - anything else: a `.pth`, `.pt` or `.safetensors` file of the network, or of an MRNet of any lineage
   *   that {@linkcode readMRNet} knows
   *
   * Of a network without MRNet's linear layer only the convolutions are used: the linear layer is drawn
   * at random.
   *
   * @default "imagenet"
   */
  weights?: string;
  /**
   * The network that computes the features of a slice.
   * @default that of the file of weights, `alexnet` if there is none
   */
  network?: NetworkName;
  /**
   * How the model's input is prepared.
   * @default what the file of weights says, `raw` if it says nothing
   */
  intensity?: Intensity;
  /**
   * What the exams that it is trained on look like; see {@linkcode learnLandmarks}. If the input of the
   * weights was mapped to landmarks, and this model's is too, theirs stay.
   * @default what the file of weights says, none if it says nothing
   */
  landmarks?: Landmarks;
  /**
   * The seed of random weights.
   * @default drawn at random
   */
  seed?: number;
  /**
   * Training exams that will be kept out of training. Weights that may have been trained on them are
   * refused: those of an MRNet whose file does not say that it kept out these exams too.
   * @default none
   */
  tune?: TuneSplit;
  /**
   * The folder in which the ImageNet weights are kept.
   * @default "models"
   */
  models?: string;
  /** Called while the ImageNet weights are fetched, with the bytes so far and in all. */
  onProgress?: (received: number, total: number | undefined) => void;
  /** Ends the fetching. */
  signal?: AbortSignal;
}

/** What making can be given. */
const CREATE_OPTION_NAMES: OptionNames<CreateOptions> = {
  weights: true,
  network: true,
  intensity: true,
  landmarks: true,
  seed: true,
  tune: true,
  models: true,
  onProgress: true,
  signal: true,
};

/**
 * Makes a model to train, on the current engine; one is started if none runs.
 *
 * @throws {WeightsError} if the weights cannot be fetched or read, or are another network's
 * @throws {OptionError} if an option or the network does not exist, exams are to be kept out that the
 * weights may have been trained on, or its input is to be mapped to landmarks and none are known
 * @throws {PermissionError} if Deno refuses the file or the network
 *
 * @example
 * ```ts
 * import { createMRNet } from "../../mod.ts";
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * console.assert(model.parameters.size === 12);
 * ```
 */
export async function createMRNet(options: CreateOptions = {}): Promise<MRNet> {
  checkOptionNames("make a model", options, CREATE_OPTION_NAMES);
  const start = await readStart(options);
  await ensureEngine();
  return modelOf(start, options);
}

/** The weights that a model starts from, and what their file says of how its input is prepared. */
export interface ModelStart extends Partial<Preparation> {
  /** Parameters and statistics in PyTorch's names and layout. */
  state: StateDict;
  /** The exams that the model knows whose weights they are; see {@linkcode ModelCard.earlierExams}. */
  earlierExams?: KnownExams;
}

/** The hashes of exams that are to be kept out of a training, read when they are needed. */
export type KeptOut = () => Promise<readonly ExamHash[]>;

/**
 * Reads or draws what {@linkcode createMRNet} makes a model of.
 *
 * @param keptOut the exams of the tune split: a model that did not keep out this split, and tells the
 * exams of its training, is held against them
 */
export async function readStart(options: CreateOptions, keptOut?: KeptOut): Promise<ModelStart> {
  const { weights = "imagenet", seed = drawSeed(), models = "models", network } = options;
  if (network !== undefined && !NETWORK_NAMES.includes(network)) {
    const known = NETWORK_NAMES.join(", ");
    throw new OptionError(`Cannot make a model of the network '${network}': choose from ${known}`);
  }
  return await _startingWeights(weights, seed, { ...options, models, keptOut });
}

/** A model on the current engine, from the weights to start from and what else is known of it. */
export function modelOf(
  start: ModelStart,
  { intensity = start.intensity, landmarks }: MRNetOptions,
): MRNet {
  // Weights whose input was mapped to landmarks are trained further with the same ones.
  const isBound = intensity === "landmarks" && start.intensity === intensity;
  const known = (isBound ? undefined : landmarks) ?? start.landmarks;
  return new MRNet(start.state, { intensity, landmarks: known });
}

/**
 * Refuses to keep exams out of a training that starts from a model which may have been trained on them.
 * Fetches nothing and keeps no tensor in memory. A model that tells the exams of its training is held
 * against the exams themselves once they are read, by {@linkcode readStart}.
 *
 * @param weights what training starts from; see {@linkcode CreateOptions.weights}
 * @param tune the exams that are to be kept out
 * @throws {OptionError} if the file is an MRNet's and says neither that it kept them out too nor which
 * exams it was trained on
 * @throws {WeightsError} if it cannot be read
 */
export async function checkStart(weights: string, tune: TuneSplit): Promise<void> {
  if (["none", "imagenet"].includes(weights) || isRemote(weights)) return;
  const { isBackbone } = await _identify(weights);
  if (!isBackbone) await _readStart(weights, { tune, keptOut: LATER });
}

/**
 * Refuses to keep a fold out of a training that starts from a trained model which has seen its exams, or
 * may have.
 *
 * @param weights what training starts from; see {@linkcode CreateOptions.weights}
 * @param keptOut the exams of the fold; they are compared later where they are not given
 * @throws {OptionError} if the file is an MRNet's that knows some of them, or does not say which it knows
 * @throws {WeightsError} if it cannot be read
 */
export async function checkStartOfFold(
  weights: string,
  fold: number,
  keptOut: KeptOut = LATER,
): Promise<void> {
  if (["none", "imagenet"].includes(weights) || isRemote(weights)) return;
  if ((await _identify(weights)).isBackbone) return;
  const { readMRNet } = await import("./weights/read.ts");
  const card = readCard((await readMRNet(weights)).metadata, weights);
  const found = await _knows(card, keptOut);
  if (found === undefined) return;
  throw new OptionError(
    `Cannot keep fold ${fold} out of a training that starts from '${weights}', ${found.knows} its ` +
      `exams: ${found.why}start from imagenet, none, or another network without a linear layer of MRNet`,
  );
}

/** Exams that nobody has read yet: whoever reads them compares them. */
const LATER: KeptOut = () => Promise.resolve([]);

/** What a model knows of exams that are to be kept out; undefined if it is trained on none of them. */
async function _knows(
  card: ModelCard,
  keptOut: KeptOut | undefined,
): Promise<{ knows: "which knows" | "which may know"; why: string } | undefined> {
  const trained = keptOut && everTrainedOn(card);
  if (trained === undefined) return { knows: "which may know", why: "" };
  const exams = await keptOut!();
  const shared = countAmong(exams, trained);
  if (shared === 0) return undefined;
  const why = `by their hashes it was trained on ${shared} of these ${exams.length}: `;
  return { knows: "which knows", why };
}

/** What is known of a file beside what it says itself. */
export interface LoadOptions {
  /**
   * How the model's input is prepared, for files that do not say it, as those of PyTorch.
   * @default "raw"
   */
  intensity?: Intensity;
}

/** What loading can be given. */
const LOAD_OPTION_NAMES: OptionNames<LoadOptions> = {
  intensity: true,
};

/** A model from a file, and what the file says about it. Disposing of it disposes of the model. */
export interface LoadedMRNet extends Disposable {
  /** The model, on the current engine. */
  model: MRNet;
  /** How it was made, as the training run wrote it; empty for files of PyTorch. */
  metadata: Record<string, string>;
  /** What the metadata says about how to use it. */
  card: ModelCard;
}

/**
 * Reads a trained model: a checkpoint of this toolkit, or of the original PyTorch script.
 *
 * @param source a `.safetensors`, `.pth` or `.pt` file: its path, its URL or its bytes
 * @throws {WeightsError} if it cannot be read, is no MRNet, or has invalid metadata
 * @throws {OptionError} if an option does not exist, or the file says that its input is prepared in
 * another way than is given
 * @throws {PermissionError} if Deno refuses the file or the network
 *
 * @example
 * ```ts
 * import { createMRNet, loadMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/model.safetensors`;
 * using made = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(made, path, { task: "acl" });
 * using loaded = await loadMRNet(path);
 * console.assert(loaded.model.parameters.size === 12 && loaded.card.task === "acl");
 * ```
 */
export async function loadMRNet(
  source: ModelSource,
  options: LoadOptions = {},
): Promise<LoadedMRNet> {
  checkOptionNames("load a model", options, LOAD_OPTION_NAMES);
  using opened = await openModelSource(source);
  return await loadMRNetFrom(opened, options);
}

/** As {@linkcode loadMRNet}, from a source that is open. */
export async function loadMRNetFrom(
  source: Source,
  { intensity }: LoadOptions,
): Promise<LoadedMRNet> {
  const { readMRNet } = await import("./weights/read.ts");
  const { tensors, metadata } = await readMRNet(source);
  const card = readCardWith(metadata, source.name, intensity);
  await ensureEngine();
  const model = new MRNet(handOver(tensors), card);
  return { model, metadata, card, [Symbol.dispose]: () => model.dispose() };
}

/**
 * Writes a model as safetensors, in PyTorch's names and layout; Python's `safetensors` package reads
 * it into a PyTorch MRNet as it is. How the model's input is prepared, its landmarks, the toolkit's
 * version and the day are written into the metadata.
 *
 * @param model what is written
 * @param path the file; one that is there is replaced once the new one is whole
 * @param card what the file should say about the model, such as the card of the model that it was loaded
 * from; how the input is prepared is known by the model
 * @throws {OptionError} if the card has a key that no card has, a value that its key does not allow, or
 * another intensity, network or recalibration than the model
 * @throws {OutputError} if it cannot be written
 *
 * @example
 * ```ts
 * import { createMRNet, loadMRNet, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/model.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * const operatingPoint = { threshold: 0.3, rule: "youden", exams: "tune" } as const;
 * await saveMRNet(model, path, { task: "acl", plane: "sagittal", epoch: 12, operatingPoint });
 * using loaded = await loadMRNet(path);
 * console.assert(loaded.card.epoch === 12 && loaded.card.operatingPoint?.threshold === 0.3);
 * ```
 */
export async function saveMRNet(
  model: MRNet,
  path: string,
  card: Partial<ModelCard> = {},
): Promise<void> {
  for (const key of ["intensity", "network"] as const) {
    const said = card[key] ?? model[key];
    if (said === model[key]) continue;
    throw new OptionError(
      `Cannot save a model of ${key} ${model[key]} with a card that says ${said}: ` +
        `leave the ${key} out`,
    );
  }
  const { recalibration } = card;
  if (recalibration !== undefined && recalibration !== model.recalibration) {
    throw new OptionError(
      "Cannot save a model with a card that says how it is recalibrated: the model was trained since, or " +
        "is another: leave recalibration and operatingPoint out",
    );
  }
  await writeMRNet(model, path, cardMetadata({ ...card, recalibration: model.recalibration }));
}

/** How a model's file is written. */
interface ModelWriteOptions extends WriteOptions {
  /**
   * The parameters and statistics, where they are not the model's own.
   * @default those of the model
   */
  state?: StateDict;
}

/**
 * Writes a model with any metadata, and with options for a file that is there already.
 *
 * @returns whether it was written; see {@linkcode writeWhole}
 */
export async function writeMRNet(
  model: MRNet,
  path: string,
  metadata: Record<string, string>,
  { state, ...options }: ModelWriteOptions = {},
): Promise<boolean> {
  const { network, intensity, landmarks } = model;
  const scale = landmarks && { landmarks: JSON.stringify(landmarks) };
  const { toolkit = "", created = "" } = madeNow();
  const described = { format: "pt", toolkit, created, ...metadata, network, intensity, ...scale };
  const bytes = encodeSafetensors(state ?? await model.stateDict(), described);
  return await writeWhole(path, bytes, options);
}

async function _startingWeights(
  weights: string,
  seed: number,
  options: CreateOptions & { models: string; keptOut: KeptOut | undefined },
): Promise<ModelStart> {
  const { models, tune, keptOut, onProgress, signal } = options;
  const wanted = networkOf(options.network ?? "alexnet");
  if (weights === "none") return { state: initialWeights(seed, wanted) };
  const url = isRemote(weights) ? weights : undefined;
  const { fetchImageNetWeights } = await import("./weights/imagenet.ts");
  const path = weights === "imagenet" || url !== undefined
    ? await fetchImageNetWeights({ folder: models, network: wanted, url, onProgress, signal })
    : weights;
  const { isBackbone, network } = await _identify(path);
  if (options.network !== undefined && network !== wanted) {
    const hint = `leave the network out, or give weights of ${wanted.title}`;
    throw weightsError(path, `it holds ${network.title}, not ${wanted.title}`, hint);
  }
  if (!isBackbone) {
    const { tensors, card } = await _readStart(path, { tune, keptOut });
    const earlierExams = everTrainedOn(card) ?? "unknown";
    const { intensity, landmarks } = card;
    return { state: tensors, intensity, landmarks, earlierExams };
  }
  const { readFeatures } = await import("./weights/read.ts");
  const features = (await readFeatures(path)).tensors;
  return { state: new Map([...features, ...initialClassifier(seed, network)]) };
}

/** An MRNet to start from, which was not trained on the exams that are to be kept out. */
async function _readStart(
  path: string,
  { tune, keptOut }: { tune: TuneSplit | undefined; keptOut: KeptOut | undefined },
): Promise<{ tensors: StateDict; card: ModelCard }> {
  const { readMRNet } = await import("./weights/read.ts");
  const { tensors, metadata } = await readMRNet(path);
  const card = readCard(metadata, path);
  // Exams that are there twice are in both parts of any split, so the same split is enough.
  if (tune === undefined || coversTuneSplit(card.tune, tune)) return { tensors, card };
  const known = await _knows(card, keptOut);
  if (known === undefined) return { tensors, card };
  const split = ({ fraction, seed }: TuneSplit) =>
    `${fraction} of the training exams by seed ${seed}`;
  const kept = card.tune === undefined
    ? "its file does not say that it was trained with a tune split"
    : `by its file it kept out ${split(card.tune)}`;
  throw new OptionError(
    `Cannot keep ${
      split(tune)
    } out of a training that starts from '${path}', ${known.knows} them: ` +
      `${
        known.why || `${kept}: `
      }start from a model that kept them out too, or from imagenet or none; a training ` +
      "without --tune may start from any",
  );
}

/**
 * Which network a file holds, and whether it is torchvision's rather than an MRNet, which wraps one; no
 * value is loaded.
 *
 * @throws {WeightsError} if it is an AlexNet that was trained for something else than ImageNet: its exams
 * are unknown, and MRNet cannot use its trained classifier
 */
async function _identify(path: string): Promise<{ isBackbone: boolean; network: Network }> {
  const { identifyNetwork } = await import("./weights/read.ts");
  const { kind, network, ownClassifier, tensors } = await identifyNetwork(path);
  if (kind !== "backbone") return { isBackbone: false, network };
  const other = ownClassifier.find((key) => {
    const layer = /(?:classifier\.(?:.*\.)?([146])|fc)\.(?:weight|bias)$/.exec(key);
    if (layer === null) return true;
    const isLast = layer[1] === undefined || layer[1] === "6";
    return isLast && tensors.get(key)!.shape[0] !== IMAGENET_CLASSES;
  });
  if (other === undefined) return { isBackbone: true, network };
  const found = `it is torchvision's ${network.title} with a classifier that is not ImageNet's: ` +
    `${quoted(other)} is [${tensors.get(other)!.shape.join(", ")}]`;
  const hint =
    "a training would drop it; save the features alone if they are what it shall start from";
  throw weightsError(path, found, hint);
}
