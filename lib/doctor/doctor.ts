/** What is odd about a data set, before hours are spent on it: every exam is read once. */
import type { DatasetOptions } from "../data/dataset.ts";
import { type Exam, readExam } from "../data/exam.ts";
import { hashExam } from "../data/exam_hash.ts";
import { examsInFolder } from "../data/exam_folder.ts";
import { labelFile, readLabels } from "../data/labels.ts";
import { type CommonFacts, ExamTally, MAX_NAMED, type Oddity } from "../data/tally.ts";
import { DataError, messageOf } from "../errors.ts";
import { join } from "../files.ts";
import { listed } from "../quoted.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { type Plane, PLANES, type Split, SPLITS, type Task, TASKS } from "../terms.ts";

/** Something that is wrong, or odd, and where. */
export interface DataProblem extends Oddity {
  /** What it is about: a file, or the exams of a split. */
  where: string;
}

/** The labels of a finding in a split. */
export interface LabelCount {
  /** The split. */
  split: Split;
  /** The finding. */
  task: Task;
  /** How many exams have a label. */
  exams: number;
  /** How many of them have the finding. */
  positive: number;
}

/** The exams of a split and a plane. */
export interface ExamCount extends CommonFacts {
  /** The split. */
  split: Split;
  /** The plane. */
  plane: Plane;
}

/** A middle slice, to be looked at. */
export interface MiddleSlice {
  /** The exam's split. */
  split: Split;
  /** The exam's plane. */
  plane: Plane;
  /** The exam's name. */
  id: string;
  /** In pixels. */
  height: number;
  /** In pixels. */
  width: number;
  /** Grey values of 0 to 255, those of the exam stretched if they are others. */
  pixels: Uint8Array;
}

/** What was found. */
export interface DataReport {
  /** Of every split that has exams. */
  labels: LabelCount[];
  /** Of every split and plane that has exams. */
  exams: ExamCount[];
  /** What is wrong, or odd. */
  problems: DataProblem[];
}

/** Which data set, and whom to tell. */
export interface DoctorOptions extends Pick<DatasetOptions, "data"> {
  /** Called after each exam. */
  onExam?: (done: number, total: number) => void;
  /** Handed the middle slice of each exam. */
  onSlice?: (slice: MiddleSlice) => void;
}

const OPTION_NAMES: OptionNames<DoctorOptions> = { data: true, onExam: true, onSlice: true };

/** As in `verbs.ts`, where it is described. */
export async function examineDataset(options: DoctorOptions = {}): Promise<DataReport> {
  checkOptionNames("examine a data set", options, OPTION_NAMES);
  const { data = "data" } = options;
  const folders = await _examFolders(data);
  const total = folders.reduce((sum, { ids }) => sum + ids.length, 0);
  if (total === 0) {
    throw new DataError(
      `Cannot examine '${data}': it has no exams: give the folder that has train/ and valid/, each ` +
        "with axial/, coronal/ and sagittal/",
    );
  }
  const { labels, problems } = await _checkLabels(data, folders);
  const copies = new Map<string, string[]>();
  const exams: ExamCount[] = [];
  let done = 0;
  for (const folder of folders) {
    const { split, plane } = folder;
    const where = join(data, split, plane);
    // As a model reads them whose input is not prepared.
    const tally = new ExamTally("raw");
    for (const id of folder.ids) {
      const exam = await _read(join(where, `${id}.npy`), id, problems);
      if (exam !== undefined) {
        tally.add(exam);
        const hash = await hashExam(exam);
        copies.set(hash, [...copies.get(hash) ?? [], `${split}/${plane}/${id}`]);
        options.onSlice?.({ ...folder, ..._middleSlice(exam) });
      }
      options.onExam?.(++done, total);
    }
    if (tally.exams > 0) exams.push({ split, plane, ...tally.facts() });
    problems.push(...tally.oddities().map((oddity) => ({ ...oddity, where })));
  }
  return { labels, exams, problems: [...problems, ..._repeated(copies), ..._inBoth(folders)] };
}

/** The exams of a split and a plane, by their names. */
interface ExamFolder {
  split: Split;
  plane: Plane;
  ids: string[];
}

async function _examFolders(data: string): Promise<ExamFolder[]> {
  const folders: ExamFolder[] = [];
  for (const split of SPLITS) {
    for (const plane of PLANES) {
      folders.push({ split, plane, ids: await examsInFolder(data, split, plane) });
    }
  }
  return folders;
}

/** Counts the labels, and holds them against the exams. */
async function _checkLabels(
  data: string,
  folders: readonly ExamFolder[],
): Promise<Pick<DataReport, "labels" | "problems">> {
  const labels: LabelCount[] = [];
  const problems: DataProblem[] = [];
  for (const split of SPLITS) {
    const own = folders.filter((folder) => folder.split === split && folder.ids.length > 0);
    if (own.length === 0) continue;
    for (const task of TASKS) {
      const where = labelFile(data, split, task);
      try {
        const rows = await readLabels(where);
        const positive = rows.filter(({ label }) => label === 1).length;
        labels.push({ split, task, exams: rows.length, positive });
        if (positive === 0 || positive === rows.length) {
          const found = `all ${rows.length} labels are ${positive === 0 ? 0 : 1}`;
          problems.push({ level: "error", where, found });
        }
        const named = new Set(rows.map(({ id }) => id));
        for (const { plane, ids } of own) {
          const there = new Set(ids);
          const missing = [...named].filter((id) => !there.has(id));
          const unlabelled = ids.filter((id) => !named.has(id));
          if (missing.length > 0) {
            const found = `${plane}: no exam for ${listed(missing, MAX_NAMED)}`;
            problems.push({ level: "error", where, found });
          }
          if (unlabelled.length > 0) {
            const found = `${plane}: no label for ${listed(unlabelled, MAX_NAMED)}`;
            problems.push({ level: "warning", where, found });
          }
        }
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        problems.push({ level: "warning", where, found: messageOf(error) });
      }
    }
  }
  return { labels, problems };
}

/** Reads an exam; nothing if it cannot be read, which is a problem. */
async function _read(
  path: string,
  id: string,
  problems: DataProblem[],
): Promise<Exam | undefined> {
  try {
    return await readExam(path, id);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    problems.push({ level: "error", where: path, found: messageOf(error) });
    return undefined;
  }
}

function _middleSlice({ id, slices, height, width, voxels }: Exam) {
  const size = height * width;
  const first = Math.floor(slices / 2) * size;
  const slice = voxels.subarray(first, first + size);
  if (slice instanceof Uint8Array) return { id, height, width, pixels: slice.slice() };
  let [low, high] = [Infinity, -Infinity];
  for (const value of slice) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const scale = low >= 0 && high <= 255 ? 1 : 255 / (high - low || 1);
  const offset = scale === 1 ? 0 : low;
  const pixels = Uint8Array.from(slice, (value) => Math.round((value - offset) * scale));
  return { id, height, width, pixels };
}

/** The same pixels under several names, or in both splits. */
function _repeated(copies: ReadonlyMap<string, readonly string[]>): DataProblem[] {
  return [...copies.values()].filter((names) => names.length > 1).map((names) => {
    const inBoth = SPLITS.every((split) => names.some((name) => name.startsWith(split)));
    const found = inBoth ? "the same pixels, to train and to validate" : "the same pixels";
    return { level: inBoth ? "error" : "warning", where: listed(names, MAX_NAMED), found };
  });
}

/** Names that are in both splits: it may be the same patient. */
function _inBoth(folders: readonly ExamFolder[]): DataProblem[] {
  const [train, valid] = SPLITS.map((split) =>
    new Set(folders.filter((folder) => folder.split === split).flatMap(({ ids }) => ids))
  );
  const both = [...train.intersection(valid)];
  if (both.length === 0) return [];
  const found =
    "exams of these names are in both splits: if they are of the same patients, what is " +
    "measured is too good";
  return [{ level: "warning", where: listed(both.sort(), MAX_NAMED), found }];
}
