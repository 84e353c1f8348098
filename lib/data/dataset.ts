/**
 * The exams of one split and plane with the labels of one task, in MRNet's folder layout.
 *
 * Everything is checked when a dataset is opened, so that a broken file is found in the first
 * second and not in the third hour; voxels are read when they are needed.
 */
import { DataError, messageOf, MRNetError, OptionError, PermissionError } from "../errors.ts";
import { fileError, folderOf, ifThere } from "../files.ts";
import { commandLine } from "../invocation.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Label, Plane, Split, Task } from "../terms.ts";
import { type Exam, readExam, readExamHeader } from "./exam.ts";
import { checkFoldChoice, openFold } from "./folds.ts";
import { examFile, labelFile, type LabelledId, readLabels } from "./labels.ts";
import { checkSplitClasses, checkTuneSplit, isTuneExam, type TuneSplit } from "./tune.ts";

/** An exam and whether it shows the finding. */
export interface LabelledExam {
  /** The exam as it is in its file. */
  exam: Exam;
  /** 1 if the finding is present. */
  label: Label;
}

/** What a trainer needs to know of a dataset; anything of this shape can be trained on. */
export interface Dataset {
  /** The exams' ids and labels, in the order of the label file. */
  readonly labels: readonly LabelledId[];
  /** The exams that could not be used when it was opened, by id, each with the reason. */
  readonly unreadable?: ReadonlyMap<string, string>;
  /** Reads one exam, by its index in {@linkcode Dataset.labels}. */
  read(index: number): Promise<Exam>;
}

/** Which exams to open, and how. */
export interface DatasetOptions {
  /**
   * The folder with `train/`, `valid/` and the label files.
   * @default "data"
   */
  data?: string;
  /**
   * Which split of the dataset; `tune` are the training exams that {@linkcode DatasetOptions.tune}
   * keeps out of training, `fold` those of the {@linkcode DatasetOptions.fold} that is kept out.
   */
  split: Split | "tune" | "fold";
  /**
   * Which of the training exams are kept out: `train` is then without them and `tune` is them alone,
   * the same ones for every plane and task; `valid` does not change.
   * @default none
   */
  tune?: TuneSplit;
  /**
   * A table of folds: CSV with the columns `id,fold` and, to keep the exams of a patient together,
   * `patient`. `plan` writes one.
   * @default none
   */
  folds?: string;
  /**
   * Which of the folds is kept out, counted from 1: `train` and `tune` are without its exams, `fold` is
   * them alone.
   * @default none
   */
  fold?: number;
  /** Which finding the labels are of. */
  task: Task;
  /** Which plane the exams are in. */
  plane: Plane;
  /**
   * Keep every exam in memory once it is read, as it is in the file: for all of MRNet's training
   * exams in one plane about 2.3 GB.
   * @default false
   */
  inMemory?: boolean;
  /**
   * Open the dataset though exams are missing or broken; {@linkcode Dataset.unreadable} names them.
   * They stay among the labels.
   * @default false
   */
  skipBadExams?: boolean;
}

/** The options of {@linkcode openDataset}. */
const OPTION_NAMES: OptionNames<DatasetOptions> = {
  data: true,
  split: true,
  tune: true,
  folds: true,
  fold: true,
  task: true,
  plane: true,
  inMemory: true,
  skipBadExams: true,
};

/** How many files are checked at once. */
const CHECKED_AT_ONCE = 16;

/** How many broken exams a message quotes before it only counts the rest. */
const MAX_NAMED = 10;

/**
 * Opens a dataset: reads the labels, then the header of each exam.
 *
 * @throws {DataError} if the folder or the label file is missing or broken, if exams are missing or
 *   broken (every missing one is named, of the broken ones the first ten), or if all labels are the
 *   same, of all exams or of those of this split
 * @throws {OptionError} if an option does not exist, the tune split is not valid, or the split `tune`
 *   is asked for without one
 * @throws {PermissionError} if Deno may not read the folder
 *
 * @example
 * ```ts
 * import { openDataset, phantom } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * const knees = { train: 4, valid: 2, size: 64, slices: [2, 3], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder: data, ...knees });
 * const train = await openDataset({ data, split: "train", task: "acl", plane: "sagittal" });
 * console.assert(train.labels.length === 4 && (await train.read(0)).height === 64);
 * ```
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  checkOptionNames("open a dataset", options, OPTION_NAMES);
  const { data = "data", split, task, plane, tune, inMemory = false, skipBadExams } = options;
  _checkSplitOptions(options);
  const folder = split === "valid" ? "valid" : "train";
  const path = labelFile(data, folder, task);
  await _checkPresence(data, path);
  const all = await readLabels(path);
  const cut = split === "valid" || split === "fold" ? undefined : tune;
  const fold = split === "valid" ? undefined : await openFold(options, all, path);
  const isTune = (id: string) => fold?.isTune(id) ?? isTuneExam(id, cut!);
  const isOurs = (id: string) =>
    (fold === undefined || fold.isHeldOut(id) === (split === "fold")) &&
    (cut === undefined || isTune(id) === (split === "tune"));
  const labels = all.filter(({ id }) => isOurs(id));
  const fileOf = (id: string) => examFile(data, folder, plane, id);
  const unreadable = await _checkExams(labels, fileOf);
  if (unreadable.missing.length + unreadable.broken.size > 0 && !skipBadExams) {
    throw _unusable(labels, unreadable, fileOf, path);
  }
  checkClasses(all, path);
  if (cut !== undefined) checkSplitClasses(labels, split, cut, path);
  if (split === "fold") fold?.checkClasses(labels);
  const reasons = _reasons(unreadable, fileOf);
  if (reasons.size > 0) _checkReadable(labels, reasons, path);
  const read = async (index: number) => {
    const { id } = labels[index];
    return await readExam(fileOf(id), id);
  };
  const opened = { labels, read: inMemory ? _remembering(read) : read };
  return reasons.size > 0 ? { ...opened, unreadable: reasons } : opened;
}

/**
 * Negatives per positive: the weight of the second output in the loss.
 *
 * @returns a number above 0
 * @throws {DataError} if one class is missing, for which there is no such weight
 */
export function positiveWeight({ labels }: Pick<Dataset, "labels">): number {
  const positives = labels.filter(({ label }) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives > 0 && negatives > 0) return negatives / positives;
  throw new DataError(
    `Cannot weight the loss: of ${labels.length} exams ${positives} show the finding: ` +
      "a dataset needs exams with the finding and exams without it",
  );
}

/**
 * The exams in a given order. The next one is read while the caller works on the current one, and
 * no more than these two are held.
 *
 * @param order indices into {@linkcode Dataset.labels}
 */
export async function* examsInOrder(
  dataset: Dataset,
  order: readonly number[],
): AsyncGenerator<LabelledExam> {
  const start = (position: number) => {
    const reading = Promise.try(() => dataset.read(order[position]));
    // Its failure is reported when its turn comes, or not at all if the caller stops before.
    reading.catch(() => {});
    return reading;
  };
  let ahead = order.length > 0 ? start(0) : undefined;
  for (let position = 0; position < order.length; position++) {
    const exam = await ahead!;
    ahead = position + 1 < order.length ? start(position + 1) : undefined;
    yield { exam, label: dataset.labels[order[position]].label };
  }
}

/**
 * The exams in their order, without those that cannot be read: the caller is told of each of these.
 *
 * @param onUnreadable called with the exam's name and the reason
 */
export async function* readableExams(
  dataset: Dataset,
  onUnreadable: (id: string, reason: string) => void,
): AsyncGenerator<LabelledExam> {
  const { labels, unreadable = new Map<string, string>() } = dataset;
  for (const [id, reason] of unreadable) onUnreadable(id, reason);
  const order = [...labels.keys()].filter((index) => !unreadable.has(labels[index].id));
  for (let position = 0; position < order.length; position++) {
    try {
      for await (const exam of examsInOrder(dataset, order.slice(position))) {
        position++;
        yield exam;
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      onUnreadable(labels[order[position]].id, messageOf(error));
    }
  }
}

/** Refuses a split of exams that nothing describes. */
function _checkSplitOptions({ split, tune, folds, fold }: DatasetOptions): void {
  checkFoldChoice({ folds, fold });
  if (tune !== undefined) checkTuneSplit(tune);
  if (split === "tune" && tune === undefined) {
    throw new OptionError(
      "Cannot open the tune split: nothing says which training exams it has: " +
        "give 'tune' with a fraction and a seed",
    );
  }
  if (split !== "fold" || folds !== undefined) return;
  throw new OptionError(
    "Cannot open a fold: nothing says which training exams it has: give 'folds' and 'fold'",
  );
}

/** A dataset that is not there at all is the first thing that goes wrong for a newcomer. */
async function _checkPresence(data: string, labels: string): Promise<void> {
  const missing = await _missing(data) ?? await _missing(labels);
  if (missing === undefined) return;
  throw new DataError(
    `Cannot open the dataset in '${data}': there is no '${missing}': ask for MRNet at ` +
      "https://stanfordmlgroup.github.io/competitions/mrnet/ and unpack it there, " +
      `or make a practice set: ${commandLine("synth", "--out", data)}`,
  );
}

/** The path itself if nothing has that name. */
async function _missing(path: string): Promise<string | undefined> {
  const info = await ifThere(Deno.stat(path)).catch((error) => {
    throw fileError(error, { what: "open", path, access: "read", error: DataError });
  });
  return info === undefined ? path : undefined;
}

/** The exams that cannot be used, in the order of the labels. */
interface Unreadable {
  missing: string[];
  /** What is wrong with those that are there, by id. */
  broken: Map<string, string>;
}

/** Reads every header, several at a time. */
async function _checkExams(
  labels: readonly LabelledId[],
  fileOf: (id: string) => string,
): Promise<Unreadable> {
  const missing = new Set<string>();
  const broken = new Map<number, string>();
  let next = 0;
  const check = async () => {
    while (next < labels.length) {
      const index = next++;
      const file = fileOf(labels[index].id);
      try {
        if (await _missing(file) === undefined) await readExamHeader(file);
        else missing.add(labels[index].id);
      } catch (error) {
        if (error instanceof PermissionError || !(error instanceof MRNetError)) throw error;
        broken.set(index, messageOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: CHECKED_AT_ONCE }, check));
  const found = [...broken].sort(([a], [b]) => a - b);
  return {
    missing: labels.map(({ id }) => id).filter((id) => missing.has(id)),
    broken: new Map(found.map(([index, message]) => [labels[index].id, message])),
  };
}

/** All exams that cannot be used, in one line. */
function _unusable(
  labels: readonly LabelledId[],
  { missing, broken }: Unreadable,
  fileOf: (id: string) => string,
  path: string,
): DataError {
  const faults: string[] = [];
  if (missing.length > 0) {
    const folder = folderOf(fileOf(labels[0].id));
    faults.push(`${missing.length} not in '${folder}' (${_runs(missing)}): copy the files there`);
  }
  const messages = [...broken.values()];
  if (messages.length > MAX_NAMED) {
    messages.splice(MAX_NAMED, Infinity, `and ${messages.length - MAX_NAMED} more`);
  }
  faults.push(...messages);
  const count = missing.length + broken.size;
  return new DataError(
    `Cannot use ${count} of the ${labels.length} exams that '${path}' names: ${faults.join("; ")}`,
  );
}

/** Why each of them cannot be used. */
function _reasons(
  { missing, broken }: Unreadable,
  fileOf: (id: string) => string,
): Map<string, string> {
  const absent = missing.map((id) => [id, `there is no '${fileOf(id)}'`] as const);
  return new Map([...absent, ...broken]);
}

/** Without the exams that cannot be read there must still be both classes. */
function _checkReadable(
  labels: readonly LabelledId[],
  reasons: ReadonlyMap<string, string>,
  path: string,
): void {
  const left = labels.filter(({ id }) => !reasons.has(id));
  if (new Set(left.map(({ label }) => label)).size === 2) return;
  throw new DataError(
    `Cannot do without the exams of '${path}' that cannot be read: of ${labels.length} exams ` +
      `${left.length} can be read, and these are not of both classes: fix the files, the first of ` +
      `which fails with: ${reasons.values().next().value}`,
  );
}

/** Ids in their order, successive numbers joined: `0003, 0007–0012`. All are named, however many. */
function _runs(ids: Iterable<string>): string {
  const runs: string[][] = [];
  for (const id of ids) {
    const before = runs.at(-1)?.at(-1);
    // Only numbers of the same length, for `9` and `knee-10` have nothing between them.
    if (before?.length === id.length && /^\d+$/.test(id) && Number(id) === Number(before) + 1) {
      runs.at(-1)!.push(id);
    } else {
      runs.push([id]);
    }
  }
  return runs.map((run) => run.length > 2 ? `${run[0]}–${run.at(-1)}` : run.join(", ")).join(", ");
}

/**
 * Refuses labels of one class only.
 *
 * @throws {DataError} if they all are the same
 */
export function checkClasses(labels: readonly LabelledId[], path: string): void {
  const first = labels[0].label;
  if (labels.some(({ label }) => label !== first)) return;
  throw new DataError(
    `Cannot use the labels '${path}': all ${labels.length} of them are ${first}: ` +
      "a classifier needs exams with the finding and exams without it",
  );
}

function _remembering(read: Dataset["read"]): Dataset["read"] {
  const exams = new Map<number, Promise<Exam>>();
  return (index) => {
    let exam = exams.get(index);
    if (exam === undefined) {
      exam = read(index);
      exams.set(index, exam);
      exam.catch(() => exams.delete(index));
    }
    return exam;
  };
}
