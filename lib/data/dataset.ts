/**
 * The exams of one split and plane with the labels of one task, in MRNet's folder layout.
 *
 * Everything is checked when a dataset is opened, so that a broken file is found in the first
 * second and not in the third hour; voxels are read when they are needed.
 *
 * @module
 */
import { DataError, messageOf, MRNetError, PermissionError } from "../errors.ts";
import { fileError, folderOf } from "../files.ts";
import type { Label, Plane, Split, Task } from "../terms.ts";
import { type Exam, readExam, readExamHeader } from "./exam.ts";
import { examFile, labelFile, type LabelledId, readLabels } from "./labels.ts";

/** An exam and whether it shows the finding. */
export interface LabelledExam {
  /** The exam as it is in its file. */
  exam: Exam;
  /** 1 where the finding is present. */
  label: Label;
}

/** What a trainer needs to know of a dataset; anything of this shape can be trained on. */
export interface Dataset {
  /** The exams' ids and labels, in the order of the label file. */
  readonly labels: readonly LabelledId[];
  /** Reads one exam, by its place in {@linkcode Dataset.labels}. */
  read(index: number): Promise<Exam>;
}

/** Which exams to open, and how. */
export interface DatasetOptions {
  /**
   * The folder with `train/`, `valid/` and the label files.
   * @default "data"
   */
  data?: string;
  /** Which part of the dataset. */
  split: Split;
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
}

/** How many files are checked at once. */
const CHECKED_AT_ONCE = 16;

/** How many broken exams a message quotes before it only counts the rest. */
const MOST_NAMED = 10;

/**
 * Opens a dataset: reads the labels, then the header of each exam.
 *
 * @throws {DataError} if the folder or the label file is missing or broken, if exams are missing or
 * broken (every missing one is named, of the broken ones the first ten), or if all labels are the same
 * @throws {PermissionError} if Deno may not read the folder
 *
 * @example
 * ```ts
 * import { openDataset, writePhantomDataset } from "../../mod.ts";
 * const data = await Deno.makeTempDir();
 * await writePhantomDataset({ folder: data, train: 4, valid: 2, size: 64, slices: [2, 3], seed: 1 });
 * const train = await openDataset({ data, split: "train", task: "acl", plane: "sagittal" });
 * console.assert(train.labels.length === 4 && (await train.read(0)).height === 64);
 * ```
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const { data = "data", split, task, plane, inMemory = false } = options;
  const path = labelFile(data, split, task);
  await _checkPresence(data, path);
  const labels = await readLabels(path);
  await _checkExams(labels, (id) => examFile(data, split, plane, id), path);
  _checkClasses(labels, path);
  const read = async (index: number) => {
    const { id } = labels[index];
    return await readExam(examFile(data, split, plane, id), id);
  };
  return { labels, read: inMemory ? _remembering(read) : read };
}

/**
 * Negatives per positive: the weight of the second output in the loss.
 *
 * @returns a number above 0
 * @throws {DataError} where one class is missing, for which there is no such weight
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
 * @param order places in {@linkcode Dataset.labels}
 */
export async function* examsInOrder(
  dataset: Dataset,
  order: readonly number[],
): AsyncGenerator<LabelledExam> {
  const start = (place: number) => {
    const reading = Promise.try(() => dataset.read(order[place]));
    // Its failure is reported when its turn comes, or not at all if the caller stops before.
    reading.catch(() => {});
    return reading;
  };
  let ahead = order.length > 0 ? start(0) : undefined;
  for (let place = 0; place < order.length; place++) {
    const exam = await ahead!;
    ahead = place + 1 < order.length ? start(place + 1) : undefined;
    yield { exam, label: dataset.labels[order[place]].label };
  }
}

/** A dataset that is not there at all is the first thing that goes wrong for a newcomer. */
async function _checkPresence(data: string, labels: string): Promise<void> {
  const missing = await _missing(data) ?? await _missing(labels);
  if (missing === undefined) return;
  throw new DataError(
    `Cannot open the dataset in '${data}': there is no '${missing}': ask for MRNet at ` +
      "https://stanfordmlgroup.github.io/competitions/mrnet/ and unpack it there, " +
      `or make a practice set with 'deno run -A cli.ts synth --out ${data}'`,
  );
}

/** The path itself where nothing has that name. */
async function _missing(path: string): Promise<string | undefined> {
  try {
    await Deno.stat(path);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw fileError(error, { what: "open", path, access: "read", error: DataError });
  }
}

/** Reads every header, several at a time, and reports all that fail in one line. */
async function _checkExams(
  labels: readonly LabelledId[],
  fileOf: (id: string) => string,
  path: string,
): Promise<void> {
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
  const faults: string[] = [];
  if (missing.size > 0) {
    const absent = _runs(labels.map(({ id }) => id).filter((id) => missing.has(id)));
    const folder = folderOf(fileOf(labels[0].id));
    faults.push(`${missing.size} not in '${folder}' (${absent}): copy the files there`);
  }
  const messages = [...broken].sort(([a], [b]) => a - b).map(([, message]) => message);
  if (messages.length > MOST_NAMED) {
    messages.splice(MOST_NAMED, Infinity, `and ${messages.length - MOST_NAMED} more`);
  }
  faults.push(...messages);
  if (faults.length === 0) return;
  const count = missing.size + broken.size;
  throw new DataError(
    `Cannot use ${count} of the ${labels.length} exams that '${path}' names: ${faults.join("; ")}`,
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

function _checkClasses(labels: readonly LabelledId[], path: string): void {
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
