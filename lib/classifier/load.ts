/**
 * Classifiers from files: which kind a file is of, and the models that it names.
 */
import type { ByPlane, Combination, CombinedMember } from "../combine/combination.ts";
import { combinationFrom, isCombinationFile, READ_COMBINATION } from "../combine/file.ts";
import { OptionError, WeightsError } from "../errors.ts";
import {
  hashSource,
  modelFileName,
  type ModelSource,
  openModelSource,
} from "../model/model_source.ts";
import type { MRNet } from "../model/mrnet.ts";
import { loadPlaneModel, type ModelHints, type PlaneModel } from "../model/plane_model.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Source } from "../source.ts";
import { PLANES, type Task } from "../terms.ts";
import type { Classifier, ClassifierKind } from "./classifier.ts";
import { CombinedMRNet } from "./combined.ts";
import { type Ensemble, ENSEMBLE_FORMAT } from "./ensemble.ts";
import { EnsembleMRNet } from "./ensemble_mrnet.ts";
import { openMember } from "./members.ts";
import { SingleClassifier } from "./single.ts";

/** The name of a classifier, and what its file may leave open. */
export interface ClassifierOptions extends ModelHints {
  /**
   * Its name.
   * @default the file's name without its extension
   */
  name?: string;
}

/** What loading a classifier can be given. */
const OPTION_NAMES: OptionNames<ClassifierOptions> = {
  name: true,
  task: true,
  plane: true,
  intensity: true,
  fallbackPlane: true,
  planeOption: true,
};

/** As in `verbs.ts`, where it is described. */
export async function loadClassifier(
  source: ModelSource,
  options: ClassifierOptions = {},
): Promise<Classifier> {
  checkOptionNames("load a classifier", options, OPTION_NAMES);
  const [classifier] = await loadClassifiers([{ ...options, source }]);
  return classifier;
}

/** The largest file that is read as a combination or an ensemble, in bytes: one of 100 members has 30,000. */
export const MAX_JSON_BYTES = 128 * 1024;

/** Loads several classifiers; a file that more than one of them names is loaded once. */
export async function loadClassifiers(
  all: readonly (ClassifierOptions & { source: ModelSource })[],
): Promise<Classifier[]> {
  const loader = new _Loader();
  return await loader.use(async () => {
    const classifiers: Classifier[] = [];
    for (const { source, ...options } of all) classifiers.push(await loader.load(source, options));
    return classifiers;
  });
}

/** As in `verbs.ts`, where it is described. */
export async function loadCombined(path: string): Promise<CombinedMRNet> {
  const loader = new _Loader();
  return await loader.use(async () => {
    using opened = await openModelSource(path, READ_COMBINATION);
    return await loader.combined(path, opened, {});
  });
}

/** Loads classifiers, and the network of each file once. */
class _Loader {
  /** The networks, by the file's SHA-256 and the intensity. */
  readonly #networks = new Map<string, MRNet>();

  /** Runs a function with the loader; if it fails, everything that was loaded is freed. */
  async use<T>(load: () => Promise<T>): Promise<T> {
    try {
      return await load();
    } catch (error) {
      for (const network of this.#networks.values()) network.dispose();
      throw error;
    }
  }

  async load(source: ModelSource, options: ClassifierOptions): Promise<Classifier> {
    const isNamedSo = isCombinationFile(modelFileName(source));
    using opened = await openModelSource(source, isNamedSo ? READ_COMBINATION : undefined);
    return await this.#open(source, opened, options);
  }

  /** Loads a file that is open, of whatever kind it is. */
  async #open(
    source: ModelSource,
    opened: Source,
    options: ClassifierOptions,
    sha256?: string,
  ): Promise<Classifier> {
    switch (_kindOf(source, opened)) {
      case "single": {
        const model = this.#shared(await loadPlaneModel(opened, options, sha256));
        return new SingleClassifier(_nameOf(source, options), model);
      }
      case "combined":
        return await this.combined(source, opened, options);
      case "ensemble":
        return await this.#ensemble(source, opened, options);
    }
  }

  async combined(
    source: ModelSource,
    opened: Source,
    options: ClassifierOptions,
  ): Promise<CombinedMRNet> {
    const file = opened.name;
    const combination = combinationFrom(opened);
    const { task, members } = _membersOf(combination, file);
    const models: Partial<ByPlane<PlaneModel>> = {};
    for (const plane of PLANES) {
      const owner = { source, kind: "combination", member: `${plane} model` } as const;
      const { intensity, ...named } = members[plane];
      using member = (await openMember(owner, named)).opened;
      const hints = { task, plane, intensity };
      models[plane] = this.#shared(await loadPlaneModel(member, hints, named.sha256));
    }
    const about = { name: _nameOf(source, options), file, sha256: await hashSource(opened) };
    const combined = new CombinedMRNet(about, combination, models as ByPlane<PlaneModel>);
    _checkHints(combined, options);
    return combined;
  }

  async #ensemble(
    source: ModelSource,
    opened: Source,
    options: ClassifierOptions,
  ): Promise<EnsembleMRNet> {
    const file = opened.name;
    // What checks the file is loaded for ensembles alone.
    const { parseEnsemble } = await import("./ensemble_file.ts");
    const ensemble = parseEnsemble(_textOf(opened), file);
    const { task, plane } = ensemble;
    const members: Classifier[] = [];
    for (const [index, { intensity, ...named }] of ensemble.members.entries()) {
      const owner = { source, kind: "ensemble", member: `member ${index + 1}` } as const;
      const { source: from, opened } = await openMember(owner, named);
      using member = opened;
      _checkMember(_kindOf(from, member), member.name, ensemble, file);
      const hints = plane === "combined" ? { task } : { task, plane, intensity };
      members.push(await this.#open(from, member, hints, named.sha256));
    }
    const about = { name: _nameOf(source, options), file, sha256: await hashSource(opened) };
    const loaded = new EnsembleMRNet(about, ensemble, members);
    _checkHints(loaded, options);
    return loaded;
  }

  #shared(loaded: PlaneModel): PlaneModel {
    const key = `${loaded.sha256} ${loaded.card.intensity}`;
    const before = this.#networks.get(key);
    if (before === undefined) {
      this.#networks.set(key, loaded.model);
      return loaded;
    }
    loaded.model.dispose();
    return { ...loaded, model: before };
  }
}

function _nameOf(source: ModelSource, { name }: ClassifierOptions): string {
  return name ?? modelFileName(source).replace(/\.[a-z]+$/i, "");
}

/**
 * The models of a combination, and the finding that they predict.
 *
 * @throws {WeightsError} if it has none, because it was fitted on a table
 */
function _membersOf(
  { task, members }: Combination,
  file: string,
): { task: Task; members: ByPlane<CombinedMember> } {
  if (task !== undefined && members !== undefined) return { task, members };
  throw new WeightsError(
    `Cannot use the combination '${file}' for exams: it has weights but no models, for it was fitted ` +
      "on a table: combine models with 'cli.ts combine --models AXIAL,CORONAL,SAGITTAL'",
  );
}

/** What a file holds: its name tells weights from JSON, or else the content does. */
function _kindOf(source: ModelSource, opened: Source): ClassifierKind {
  // No model's file begins with a brace: safetensors begins with a length.
  const isJson = isCombinationFile(modelFileName(source)) ||
    opened.size > 0 && opened.size < MAX_JSON_BYTES && opened.read(0, 1)[0] === 0x7b;
  if (!isJson) return "single";
  if (opened.size > MAX_JSON_BYTES) return "combined";
  try {
    return JSON.parse(_textOf(opened))?.format === ENSEMBLE_FORMAT ? "ensemble" : "combined";
  } catch {
    // What is wrong with it is said by who reads it.
    return "combined";
  }
}

function _textOf({ size, read }: Source): string {
  return new TextDecoder().decode(read(0, size));
}

/** Refuses a member of a kind that an ensemble of this plane cannot have. */
function _checkMember(
  kind: ClassifierKind,
  member: string,
  { plane }: Ensemble,
  ensemble: string,
): void {
  if (kind === (plane === "combined" ? "combined" : "single")) return;
  const found = {
    single: "a model of one plane",
    combined: "a combination",
    ensemble: "an ensemble",
  };
  const needed = plane === "combined" ? "combinations" : `models of the ${plane} plane`;
  throw new WeightsError(
    `Cannot use the ensemble '${ensemble}': its member '${member}' is ${found[kind]}, needed are ` +
      `${needed}: make the ensemble again`,
  );
}

/** Refuses options that contradict a combination or an ensemble, whose files leave nothing open. */
function _checkHints(
  { kind, file, task, models, card }: CombinedMRNet | EnsembleMRNet,
  { task: told = task, plane, planeOption = "--plane", intensity }: ModelHints,
): void {
  const [what, again] = kind === "combined"
    ? ["combination", "combine again with it"]
    : ["ensemble", "make the ensemble again with it"];
  if (plane !== undefined && plane !== card.plane || told !== task) {
    const asked = plane === undefined ? told : `${told} in the ${plane} plane`;
    const found = card.plane === "combined" ? "all three planes" : `the ${card.plane} plane`;
    throw new OptionError(
      `Cannot use the ${what} '${file}' for ${asked}: by its file it is for ${task} in ` +
        `${found}: leave --task and ${planeOption} out`,
    );
  }
  const other = models.find(({ card }) => card.intensity !== intensity);
  if (intensity === undefined || other === undefined) return;
  throw new OptionError(
    `Cannot use the ${what} '${file}' with intensity ${intensity}: its ${other.card.plane} model ` +
      `is ${other.card.intensity}: leave the intensity out, or ${again}`,
  );
}
