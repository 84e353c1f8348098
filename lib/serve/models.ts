/**
 * The models of a service, loaded once and called by their names.
 *
 * @module
 */
import { type ByPlane, byPlane, type Combination } from "../combine/combination.ts";
import { parseCombination } from "../combine/file.ts";
import { memberPath, membersOf } from "../combine/loaded.ts";
import { startEngine } from "../engine/engine.ts";
import { MRNetError, OptionError, WeightsError } from "../errors.ts";
import { sha256Of } from "../files.ts";
import {
  DEFAULT_THRESHOLD,
  type OperatingPoint,
  settleCard,
  type SettledCard,
} from "../model/card.ts";
import { loadMRNet } from "../model/create.ts";
import {
  isRemote,
  modelFileName,
  modelName,
  type ModelSource,
  readModelBytes,
} from "../model/model_source.ts";
import type { MRNet } from "../model/mrnet.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import type { GivenModel, SettledOptions } from "./options.ts";

/** A model that reads one plane. */
export interface SingleModel {
  kind: "single";
  /** Its name in answers. */
  name: string;
  /** Of its file. */
  sha256: string;
  card: SettledCard;
  model: MRNet;
}

/** Three models, one a plane, and how they go together. */
export interface CombinedModel {
  kind: "combined";
  /** Its name in answers. */
  name: string;
  /** Of the combination's file. */
  sha256: string;
  task: Task;
  combination: Combination;
  members: ByPlane<SingleModel>;
}

/** A model that can be asked. */
export type LoadedModel = SingleModel | CombinedModel;

/** The finding that a model predicts. */
export function taskOf(model: LoadedModel): Task {
  return model.kind === "single" ? model.card.task : model.task;
}

/** The planes that a model needs. */
export function planesOf(model: LoadedModel): readonly Plane[] {
  return model.kind === "single" ? [model.card.plane] : PLANES;
}

/** The operating point that a model's file names. */
export function operatingPointOf(model: LoadedModel):
  | Omit<OperatingPoint, "exams"> & {
    exams: string;
  }
  | undefined {
  return model.kind === "single" ? model.card.operatingPoint : model.combination.operatingPoint;
}

/** From where on a model calls an exam positive. */
export function thresholdOf(model: LoadedModel): number {
  return operatingPointOf(model)?.threshold ?? DEFAULT_THRESHOLD;
}

/**
 * Starts the engine and loads the models; a file that several of them name is loaded once.
 *
 * @throws {WeightsError} where one is missing, is no model, or a member of a combination is another
 *   than it was
 * @throws {OptionError} where a model's finding or plane is left open, or two have one name
 * @throws {EngineError} where the engine cannot be had
 */
export async function loadModels(
  { models, engine = "auto" }: SettledOptions,
): Promise<LoadedModel[]> {
  await startEngine(engine);
  const known = new Map<string, MRNet>();
  try {
    const loaded: LoadedModel[] = [];
    for (const given of models) loaded.push(await _load(given, known));
    _checkNames(loaded);
    return loaded;
  } catch (error) {
    for (const model of known.values()) model.dispose();
    throw error;
  }
}

async function _load(given: GivenModel, known: Map<string, MRNet>): Promise<LoadedModel> {
  const bytes = await readModelBytes(given.source);
  const name = given.name ?? modelFileName(given.source).replace(/\.[a-z]+$/i, "");
  // A combination is JSON; a model's file never begins with a brace: safetensors with a length.
  return bytes[0] === 0x7b && bytes.length < 65536
    ? await _loadCombined(given, name, bytes, known)
    : await _loadSingle(given, name, bytes, known);
}

async function _loadSingle(
  { source, task, plane, intensity }: Omit<GivenModel, "name">,
  name: string,
  bytes: Uint8Array,
  known: Map<string, MRNet>,
): Promise<SingleModel> {
  const sha256 = await sha256Of(bytes);
  const shown = modelName(source);
  const loaded = await loadMRNet(bytes, { intensity }).catch((error) => {
    // In its own words, but by the name that the user knows.
    if (error instanceof MRNetError) {
      error.message = error.message.replace(`'${modelName(bytes)}'`, `'${shown}'`);
    }
    throw error;
  });
  const before = known.get(sha256);
  if (before === undefined) known.set(sha256, loaded.model);
  else loaded.model.dispose();
  if (before !== undefined && before.intensity !== loaded.card.intensity) {
    throw new OptionError(
      `Cannot serve the model '${shown}' with intensity ${loaded.card.intensity}: it is served ` +
        `with ${before.intensity} too: give it one intensity`,
    );
  }
  const card = settleCard(loaded.card, { task, plane }, shown);
  return { kind: "single", name, sha256, card, model: before ?? loaded.model };
}

async function _loadCombined(
  { source }: GivenModel,
  name: string,
  bytes: Uint8Array,
  known: Map<string, MRNet>,
): Promise<CombinedModel> {
  const shown = modelName(source);
  const combination = parseCombination(new TextDecoder().decode(bytes), shown);
  const { task, members: named } = membersOf(combination, shown);
  const members: Partial<ByPlane<SingleModel>> = {};
  for (const plane of PLANES) {
    const { file, sha256, intensity } = named[plane];
    const from = _memberSource(source, file);
    const memberBytes = await readModelBytes(from);
    // Before anything reads them: whatever they are, they are not what was combined.
    if (await sha256Of(memberBytes) !== sha256) {
      throw new WeightsError(
        `Cannot use the combination '${shown}': its ${plane} model '${
          modelName(from)
        }' is another ` +
          `than the one that was combined (its SHA-256 is not ${sha256.slice(0, 12)}…): ` +
          "put the model back, or combine again",
      );
    }
    members[plane] = await _loadSingle(
      { source: from, task, plane, intensity },
      `${name}/${plane}`,
      memberBytes,
      known,
    );
  }
  const combined = byPlane((plane) => members[plane]!);
  return {
    kind: "combined",
    name,
    sha256: await sha256Of(bytes),
    task,
    combination,
    members: combined,
  };
}

/** Where a member is read from: its file is named from the folder of the combination. */
function _memberSource(combination: ModelSource, file: string): ModelSource {
  if (combination instanceof Uint8Array) return memberPath(modelName(combination), { file });
  if (combination instanceof URL || isRemote(combination)) {
    const url = URL.parse(file, combination);
    // A stranger's combination may name models where it lies, not any address that can be reached here.
    if (url !== null && url.origin === new URL(combination).origin) return url;
    throw new WeightsError(
      `Cannot use the combination '${combination}': its model '${file}' lies on another server: ` +
        "put the models beside it",
    );
  }
  return memberPath(combination, { file });
}

function _checkNames(models: readonly LoadedModel[]): void {
  const names = models.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new OptionError(
    `Cannot serve two models of the name '${twice}': give each a name of its own`,
  );
}
