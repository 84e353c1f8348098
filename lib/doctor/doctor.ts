/** What is odd about a data set, before hours are spent on it: every exam is read once. */
import type { DatasetOptions } from "../data/dataset.ts";
import { type Exam, MRNET_SIDE, MRNET_SLICES, readExam } from "../data/exam.ts";
import { hashExam } from "../data/exam_hash.ts";
import { MRNET_MEAN, MRNET_STANDARD_DEVIATION } from "../data/intensity.ts";
import { isExamId, labelFile, readLabels } from "../data/labels.ts";
import { oddityOf } from "../data/oddity.ts";
import { DataError, messageOf } from "../errors.ts";
import { fileError, join } from "../files.ts";
import { listed } from "../quoted.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { type Plane, PLANES, type Split, SPLITS, type Task, TASKS } from "../terms.ts";

/** Something that is wrong, or odd. */
export interface DataProblem {
  /** `error` if training or evaluation would fail or be misled, `warning` if it should be looked at. */
  level: "error" | "warning";
  /** What it is about: a file, or the exams of a split. */
  where: string;
  /** What was found. */
  found: string;
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
export interface ExamCount {
  /** The split. */
  split: Split;
  /** The plane. */
  plane: Plane;
  /** How many exams could be read. */
  exams: number;
  /** The fewest and the most slices. */
  slices: readonly [number, number];
  /** The sizes of slices, as in `256×256`, each once. */
  sizes: string[];
  /** The mean of all grey values; MRNet's is 58.09. */
  mean: number;
  /** Their standard deviation; MRNet's is 49.73. */
  deviation: number;
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

/** A range of slices as text. */
export function slicesText([least, most]: ExamCount["slices"]): string {
  return least === most ? String(least) : `${least}–${most}`;
}

/** A mean or a deviation that differs from MRNet's by more than so many times is odd. */
const FAR = 2;
/** How many exams a problem names. */
const MAX_NAMED = 5;

/**
 * Examines a data set in MRNet's layout.
 *
 * @throws {OptionError} if an option does not exist
 * @throws {DataError} if there is no such folder, or no exam in it
 * @throws {PermissionError} if Deno may not read it
 *
 * @example
 * ```ts
 * import { examineDataset, phantom } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * const prevalence = { train: { abnormal: 0.5, acl: 0.5, meniscus: 0.5 } };
 * const knees = { train: 4, valid: 4, size: 64, slices: [2, 2], seed: 1 } as const;
 * await phantom.writePhantomDataset({ folder, ...knees, prevalence: { ...prevalence, valid: prevalence.train } });
 * const { exams, problems } = await examineDataset({ data: folder });
 * console.assert(exams.length === 6 && problems.every(({ level }) => level === "warning"));
 * ```
 */
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
    const tally = new Tally(folder, data);
    for (const id of folder.ids) {
      const exam = await tally.read(id);
      if (exam !== undefined) {
        const hash = await hashExam(exam);
        copies.set(hash, [...copies.get(hash) ?? [], `${folder.split}/${folder.plane}/${id}`]);
        options.onSlice?.({ ...folder, ..._middleSlice(exam) });
      }
      options.onExam?.(++done, total);
    }
    if (tally.exams > 0) exams.push(tally.count());
    problems.push(...tally.problems());
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
      const ids: string[] = [];
      const folder = join(data, split, plane);
      try {
        for await (const { name } of Deno.readDir(folder)) {
          const id = name.replace(/\.npy$/i, "");
          if (id !== name && isExamId(id)) ids.push(id);
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) {
          const action = { what: "list the exams in", path: folder, access: "read" } as const;
          throw fileError(error, { ...action, error: DataError });
        }
      }
      folders.push({ split, plane, ids: ids.sort() });
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

/** Reads the exams of a folder one after the other and remembers what they have in common. */
class Tally {
  readonly #folder: ExamFolder;
  readonly #where: string;
  #exams = 0;
  #slices: [number, number] = [Infinity, 0];
  readonly #sizes = new Set<string>();
  #voxels = 0;
  #sum = 0;
  #squares = 0;
  /** Exams by what is odd about them. */
  readonly #odd = new Map<string, { level: DataProblem["level"]; ids: string[] }>();
  readonly #problems: DataProblem[] = [];

  constructor(folder: ExamFolder, data: string) {
    this.#folder = folder;
    this.#where = join(data, folder.split, folder.plane);
  }

  /** Reads an exam; nothing if it cannot be read, which is remembered. */
  async read(id: string): Promise<Exam | undefined> {
    const path = join(this.#where, `${id}.npy`);
    try {
      const exam = await readExam(path, id);
      this.#add(exam);
      return exam;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.#problems.push({ level: "error", where: path, found: messageOf(error) });
      return undefined;
    }
  }

  /** How many exams could be read. */
  get exams(): number {
    return this.#exams;
  }

  /** What is common to the exams. */
  count(): ExamCount {
    const { split, plane } = this.#folder;
    const mean = this.#sum / this.#voxels;
    const deviation = Math.sqrt(Math.max(0, this.#squares / this.#voxels - mean ** 2));
    const sizes = [...this.#sizes].sort();
    return { split, plane, exams: this.#exams, slices: this.#slices, sizes, mean, deviation };
  }

  /** What is wrong with them. */
  problems(): DataProblem[] {
    const problems = [...this.#problems];
    for (const [found, { level, ids }] of this.#odd) {
      const whose = ids.length === this.#exams ? `all ${ids.length} exams` : listed(ids, MAX_NAMED);
      problems.push({ level, where: this.#where, found: `${whose}: ${found}` });
    }
    if (this.#exams === 0) return problems;
    const { mean, deviation } = this.count();
    const far = (value: number, usual: number) => value > usual * FAR || value < usual / FAR;
    if (far(mean, MRNET_MEAN) || far(deviation, MRNET_STANDARD_DEVIATION)) {
      const found = `the mean of all grey values is ${mean.toFixed(1)}, their deviation ` +
        `${deviation.toFixed(1)}; MRNet's are ${MRNET_MEAN} and ${MRNET_STANDARD_DEVIATION}`;
      problems.push({ level: "warning", where: this.#where, found });
    }
    return problems;
  }

  #add(exam: Exam): void {
    const { slices, height, width, voxels } = exam;
    this.#exams++;
    this.#slices = [Math.min(this.#slices[0], slices), Math.max(this.#slices[1], slices)];
    this.#sizes.add(`${height}×${width}`);
    for (const value of voxels) {
      this.#sum += value;
      this.#squares += value * value;
    }
    this.#voxels += voxels.length;
    const [least, most] = MRNET_SLICES;
    if (slices < least || slices > most) {
      this.#note(exam.id, `MRNet's exams have ${least} to ${most} slices, these fewer or more`);
    }
    if (height !== MRNET_SIDE || width !== MRNET_SIDE) {
      this.#note(exam.id, `their slices are not ${MRNET_SIDE}×${MRNET_SIDE}, as MRNet's are`);
    }
    if (_constantSlices(exam) > 0) this.#note(exam.id, "slices of one single grey value");
    const odd = oddityOf(exam, "raw");
    if (odd !== undefined) this.#note(exam.id, odd, "error");
  }

  #note(id: string, found: string, level: DataProblem["level"] = "warning"): void {
    const noted = this.#odd.get(found);
    if (noted === undefined) this.#odd.set(found, { level, ids: [id] });
    else noted.ids.push(id);
  }
}

function _constantSlices({ slices, height, width, voxels }: Exam): number {
  const size = height * width;
  let count = 0;
  for (let slice = 0; slice < slices; slice++) {
    const first = voxels[slice * size];
    let at = slice * size + 1;
    while (at < (slice + 1) * size && voxels[at] === first) at++;
    if (at === (slice + 1) * size) count++;
  }
  return count;
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
