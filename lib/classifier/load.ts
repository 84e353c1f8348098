/**
 * Classifiers from files: which kind a file is of, and the models that it names.
 */
import type { ByPlane, Combination, CombinedMember } from "../combine/combination.ts";
import {
  combinationFrom,
  isCombinationFile,
  MAX_COMBINATION_BYTES,
  READ_COMBINATION,
} from "../combine/file.ts";
import { OptionError, WeightsError } from "../errors.ts";
import { folderOf, join } from "../files.ts";
import {
  hashSource,
  isAddress,
  isRemote,
  modelFileName,
  modelName,
  type ModelSource,
  openModelSource,
} from "../model/model_source.ts";
import type { MRNet } from "../model/mrnet.ts";
import { loadPlaneModel, type ModelHints, type PlaneModel } from "../model/plane_model.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Source } from "../source.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import type { Classifier } from "./classifier.ts";
import { CombinedMRNet } from "./combined.ts";
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

/**
 * Loads a classifier onto the current engine, and starts an engine if none runs. The file's name tells a
 * model of one plane from a combination of three; without a name, the content does.
 *
 * @param source the path, the URL or the bytes of a model's file (`.safetensors`, `.pth`, `.pt`), or of
 *   the `.json` file of a combination; that names its models relative to its own folder
 * @throws {WeightsError} if it is neither; or if a model of a combination is missing, has changed since
 *   it was combined, or is for another finding or plane
 * @throws {OptionError} if an option does not exist, if the options contradict the file, or if neither
 *   says the finding or the plane
 * @throws {PermissionError} if Deno refuses a file or the network
 *
 * @example
 * ```ts
 * import { createMRNet, loadClassifier, saveMRNet } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/acl.safetensors`;
 * const card = { task: "acl", plane: "sagittal" } as const;
 * await saveMRNet(await createMRNet({ weights: "none", seed: 1 }), path, card);
 * using classifier = await loadClassifier(path);
 * const voxels = Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => i * 37 % 251);
 * const sagittal = { id: "0001", slices: 2, height: 64, width: 64, voxels };
 * const { probability, decision } = await classifier.predict({ sagittal });
 * console.assert(probability >= 0.5 === (decision === "positive"));
 * ```
 */
export async function loadClassifier(
  source: ModelSource,
  options: ClassifierOptions = {},
): Promise<Classifier> {
  checkOptionNames("load a classifier", options, OPTION_NAMES);
  const [classifier] = await loadClassifiers([{ ...options, source }]);
  return classifier;
}

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

/**
 * Loads a combination; anything else is refused.
 *
 * @param path the file that `combine` wrote
 * @throws as {@linkcode loadClassifier}
 */
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
    // A combination is JSON. No model's file begins with a brace: safetensors begins with a length.
    const isCombination = isNamedSo || opened.size > 0 && opened.size < MAX_COMBINATION_BYTES &&
        opened.read(0, 1)[0] === 0x7b;
    if (isCombination) return await this.combined(source, opened, options);
    const model = this.#shared(await loadPlaneModel(opened, options));
    return new SingleClassifier(_nameOf(source, options), model);
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
      models[plane] = await this.#member(source, { task, plane, ...members[plane] });
    }
    const about = { name: _nameOf(source, options), file, sha256: hashSource(opened) };
    const combined = new CombinedMRNet(about, combination, models as ByPlane<PlaneModel>);
    _checkHints(combined, options);
    return combined;
  }

  async #member(
    combination: ModelSource,
    { task, plane, ...member }: CombinedMember & { task: Task; plane: Plane },
  ): Promise<PlaneModel> {
    const name = modelName(combination);
    const hint = "put the model back, or combine again";
    const what = `read the ${plane} model of '${name}',`;
    using opened = await openModelSource(_memberSource(combination, member), { what, hint });
    const sha256 = hashSource(opened);
    // Checked before the file is parsed: a changed file is not the model that was combined.
    if (sha256 !== member.sha256) {
      throw new WeightsError(
        `Cannot use the combination '${name}': its ${plane} model '${opened.name}' is another than ` +
          `the one that was combined (its SHA-256 is not ${member.sha256.slice(0, 12)}…): ${hint}`,
      );
    }
    const { intensity } = member;
    return this.#shared(await loadPlaneModel(opened, { task, plane, intensity }, sha256));
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

/**
 * Where a member is read from: its file is named from the folder of the combination.
 *
 * @throws {WeightsError} if it is an address: a file says where files are, not what is to be fetched
 */
function _memberSource(combination: ModelSource, { file }: CombinedMember): ModelSource {
  const name = modelName(combination);
  if (combination instanceof URL || typeof combination === "string" && isRemote(combination)) {
    const url = URL.parse(file, combination);
    // An untrusted combination may name models beside it, but no address that this machine can reach.
    if (url !== null && url.origin === new URL(combination).origin) return url;
    throw new WeightsError(
      `Cannot use the combination '${name}': its model '${file}' lies on another server: ` +
        "put the models beside it",
    );
  }
  if (isAddress(file)) {
    throw new WeightsError(
      `Cannot use the combination '${name}': its model '${file}' is an address and not a path: ` +
        "put the models beside the combination, or combine again",
    );
  }
  const folder = folderOf(name);
  return folder === "." || /^([\\/]|[A-Za-z]:[\\/])/.test(file) ? file : join(folder, file);
}

/** Refuses options that contradict a combination, whose file and models leave nothing open. */
function _checkHints(
  { file, task, models }: CombinedMRNet,
  { task: told = task, plane, planeOption = "--plane", intensity }: ModelHints,
): void {
  if (plane !== undefined || told !== task) {
    const asked = plane === undefined ? told : `${told} in the ${plane} plane`;
    throw new OptionError(
      `Cannot use the combination '${file}' for ${asked}: by its file it is for ${task} in all ` +
        `three planes: leave --task and ${planeOption} out`,
    );
  }
  const other = models.find(({ card }) => card.intensity !== intensity);
  if (intensity === undefined || other === undefined) return;
  throw new OptionError(
    `Cannot use the combination '${file}' with intensity ${intensity}: its ${other.card.plane} model ` +
      `is ${other.card.intensity}: leave the intensity out, or combine again with it`,
  );
}
