/**
 * What a plan was made for: labels, exams, starting weights, a manifest and its model. Each unit looks
 * whether they are still the same.
 */
import { examFile, labelFile, type LabelledId, readLabels } from "../data/labels.ts";
import { DataError, WeightsError } from "../errors.ts";
import { hashFile, join, sha256Of } from "../files.ts";
import { isRemote } from "../model/model_source.ts";
import { fetchImageNetWeights } from "../model/weights/imagenet.ts";
import { identifyNetwork } from "../model/weights/read.ts";
import { type NetworkName, networkOf } from "../network/networks.ts";
import type { Plane, Split, Task } from "../terms.ts";
import { FOLDS_FILE } from "./plan_file.ts";
import type { PlannedSetting, ScorePlan, TrainPlan, TrainUnit } from "./plan.ts";

/** How many digits of a SHA-256 tell labels and exams apart. */
const DIGITS = 16;

/** How many files are looked at at once. */
const AT_ONCE = 16;

/** The hash of a label file, 16 hexadecimal digits. */
export async function hashLabelFile(data: string, split: Split, task: Task): Promise<string> {
  const path = labelFile(data, split, task);
  const hint = "check that the label file is there and can be read";
  const action = { what: "read the labels", path, access: "read", error: DataError, hint } as const;
  return (await hashFile(action)).slice(0, DIGITS);
}

/** The hashes of the label files of tasks, by split and task: `train-acl`. */
export async function hashLabelFiles(
  data: string,
  tasks: readonly Task[],
  splits: readonly Split[],
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const task of tasks) {
    for (const split of splits) {
      hashes[`${split}-${task}`] = await hashLabelFile(data, split, task);
    }
  }
  return hashes;
}

/**
 * A hash of the names and sizes of the exams' files of a plane, 16 hexadecimal digits. Voxels are not
 * read; that units were evaluated on the same ones is looked at when they are gathered.
 */
export async function hashExamFiles(
  { data, plane, tasks, splits }: {
    data: string;
    plane: Plane;
    tasks: readonly Task[];
    splits: readonly Split[];
  },
): Promise<string> {
  const lines: string[] = [];
  for (const split of splits) {
    const ids = new Set<string>();
    for (const task of tasks) {
      const labels: LabelledId[] = await readLabels(labelFile(data, split, task));
      for (const { id } of labels) ids.add(id);
    }
    const sorted = [...ids].sort();
    const sizes = new Map<string, number | string>();
    let next = 0;
    const look = async () => {
      while (next < sorted.length) {
        const id = sorted[next++];
        // A file that is missing is refused, or left out, where exams are opened.
        const info = await Deno.stat(examFile(data, split, plane, id)).catch(() => undefined);
        sizes.set(id, info?.size ?? "none");
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, look));
    lines.push(...sorted.map((id) => `${split} ${id} ${sizes.get(id)}`));
  }
  return (await sha256Of(new TextEncoder().encode(lines.join("\n")))).slice(0, DIGITS);
}

/**
 * The file of starting weights, which is fetched if it is an address, and its hash.
 *
 * @param weights `none`, `imagenet`, an address or a file
 * @param models the folder that fetched weights go to
 * @param network whose weights are fetched
 */
export async function settleWeights(
  weights: string,
  models: string,
  network: NetworkName,
  { signal, onDownload }: {
    signal?: AbortSignal;
    onDownload?: (received: number, total: number | undefined) => void;
  } = {},
): Promise<PlannedSetting["weights"]> {
  if (weights === "none") return { file: "none" };
  const url = isRemote(weights) ? weights : undefined;
  const file = weights === "imagenet" || url !== undefined
    ? await fetchImageNetWeights({
      ...{ folder: models, network: networkOf(network), url, signal },
      onProgress: onDownload,
    })
    : weights;
  return { file, sha256: await _hashWeights(file) };
}

/** The network whose parameters a file of starting weights holds; nothing if they are drawn. */
export async function networkOfWeights(
  { file }: PlannedSetting["weights"],
): Promise<string | undefined> {
  return file === "none" ? undefined : (await identifyNetwork(file)).network.name;
}

async function _hashWeights(path: string): Promise<string> {
  return await hashFile({ what: "read the weights", path, access: "read", error: WeightsError });
}

/**
 * Refuses to train a unit on other labels, exams, folds or weights than the plan was made for.
 *
 * @throws {DataError} if one of them has changed, naming it
 */
export async function checkTrainInputs(
  folder: string,
  { data, labels, exams, folds, settings, units }: TrainPlan,
  { task, plane, setting, fold }: TrainUnit,
): Promise<void> {
  const splits = (["train", "valid"] as const).filter((split) => `${split}-${task}` in labels);
  for (const split of splits) {
    if (await hashLabelFile(data, split, task) === labels[`${split}-${task}`]) continue;
    throw _changed(folder, `the labels '${labelFile(data, split, task)}'`);
  }
  const tasks = [...new Set(units.map((unit) => unit.task))];
  const planned = exams[plane];
  if (planned !== undefined && await hashExamFiles({ data, plane, tasks, splits }) !== planned) {
    throw _changed(folder, `the ${plane} exams in '${data}', by their names and sizes,`);
  }
  if (fold !== undefined && folds !== undefined) {
    const path = join(folder, FOLDS_FILE);
    const action = { what: "read the folds", path, access: "read", error: DataError } as const;
    if (await hashFile(action) !== folds.sha256) throw _changed(folder, `the folds '${path}'`);
  }
  const { file, sha256 } = settings[setting - 1].weights;
  if (sha256 === undefined || await _hashWeights(file) === sha256) return;
  throw _changed(folder, `the starting weights '${file}'`);
}

/** The hash of the file of a model or a combination that scores an archive. */
export async function hashScoringModel(path: string): Promise<string> {
  return await hashFile({ what: "read the model", path, access: "read", error: WeightsError });
}

/**
 * Refuses to score with another model than the plan was made for. The manifest is looked at when it is
 * read.
 *
 * @throws {DataError} if it has changed
 */
export async function checkScoringModel(folder: string, { model }: ScorePlan): Promise<void> {
  if (await hashScoringModel(model.file) === model.sha256) return;
  throw _changed(folder, `the model '${model.file}'`);
}

/** Refuses a manifest that is another one than the plan was made for. */
export function changedManifest(folder: string, { manifest }: ScorePlan): DataError {
  return _changed(folder, `the manifest '${manifest.file}'`);
}

function _changed(folder: string, what: string): DataError {
  return new DataError(
    `Cannot go on with the plan '${folder}': ${what} changed after it was made: ` +
      "give back what was there, or plan anew into another folder",
  );
}
