/**
 * The exams of a data folder as a viewer shows them, with their labels. A dataset for training must be
 * complete (`openDataset`); a dataset to look at may lack exams and labels.
 */
import { isExamId, labelFile, type LabelledId, readLabels } from "../../data/labels.ts";
import { DataError, messageOf, MRNetError } from "../../errors.ts";
import { fileError, join } from "../../files.ts";
import { commandLine } from "../../invocation.ts";
import { type Label, type Plane, PLANES, type Split, SPLITS, TASKS } from "../../terms.ts";
import { asciiOf, listed } from "../../quoted.ts";

/** An exam of the list. */
export interface ListedExam {
  split: Split;
  /** Its name, such as `0012`. */
  id: string;
  /** The planes there is a file of. */
  planes: Plane[];
  /** The labels there are, by finding. */
  labels: Partial<Record<string, Label>>;
}

/** The exams of a folder, and what could not be read of it. */
export interface ExamList {
  exams: ListedExam[];
  /** A line for each label file that is broken, and for each file whose name no exam can have. */
  faults: string[];
}

/** How many files that are left out are named. */
const MAX_NAMED = 5;

/**
 * Lists the exams of a folder in MRNet's layout: the validation exams first.
 *
 * @throws {DataError} if the folder is not there
 * @throws {PermissionError} if Deno may not read it
 */
export async function listExams(data: string): Promise<ExamList> {
  await Deno.stat(data).catch((error) => {
    const hint = `name its folder, or make a practice set: ${commandLine("synth", "--out", data)}`;
    const what = "open the dataset in";
    throw fileError(error, { what, path: data, access: "read", error: DataError, hint });
  });
  const exams: ListedExam[] = [];
  const faults: string[] = [];
  for (const split of SPLITS.toReversed()) {
    const listed = new Map<string, ListedExam>();
    // All at once: whoever opens the page waits for them.
    const found = await Promise.all(PLANES.map((plane) => _ids(join(data, split, plane))));
    for (const [at, plane] of PLANES.entries()) {
      if (found[at].fault !== undefined) faults.push(found[at].fault);
      for (const id of found[at].ids) {
        const exam = listed.get(id) ?? { split, id, planes: [], labels: {} };
        exam.planes.push(plane);
        listed.set(id, exam);
      }
    }
    const labels = await Promise.all(TASKS.map((task) => _labels(labelFile(data, split, task))));
    for (const [at, task] of TASKS.entries()) {
      if (labels[at] instanceof MRNetError) {
        faults.push(messageOf(labels[at]));
        continue;
      }
      for (const { id, label } of labels[at]) {
        const exam = listed.get(id);
        if (exam !== undefined) exam.labels[task] = label;
      }
    }
    for (const exam of [...listed.values()].sort((a, b) => a.id < b.id ? -1 : 1)) exams.push(exam);
  }
  return { exams, faults };
}

/** The labels of a file, what is wrong with it, or none if it is not there. */
async function _labels(path: string): Promise<LabelledId[] | MRNetError> {
  if (!await Deno.stat(path).then(() => true, () => false)) return [];
  try {
    return await readLabels(path);
  } catch (error) {
    if (error instanceof MRNetError) return error;
    throw error;
  }
}

/** The exams that a folder has files of, and a line if files are left out for their names; none if there is no such folder. */
async function _ids(folder: string): Promise<{ ids: string[]; fault?: string }> {
  const ids: string[] = [];
  const others: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory || !name.endsWith(".npy")) continue;
      const id = name.slice(0, -".npy".length);
      if (isExamId(id)) ids.push(id);
      else others.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw fileError(error, { what: "list", path: folder, access: "read", error: DataError });
    }
  }
  return { ids, fault: others.length > 0 ? _leftOut(folder, others.sort()) : undefined };
}

/** What is said about files that no exam's id leads to. */
function _leftOut(folder: string, names: readonly string[]): string {
  const shown = listed(names.map((name) => `'${asciiOf(name)}'`), MAX_NAMED);
  return `Cannot list ${shown} of '${folder}': no exam has such a name: ` +
    "use letters, digits, '_' and '-', at most 64, numbers with at least four digits, and no " +
    "name of a Windows device";
}
