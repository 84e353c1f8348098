/**
 * Dealing the training exams out to folds: by id and seed, the same for every plane and task. All exams
 * of a patient go to one fold.
 */
import { eachCsvLine } from "../data/csv.ts";
import type { FoldRow } from "../data/folds.ts";
import { examId, type LabelledId } from "../data/labels.ts";
import { DataError, messageOf, OptionError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { quoted } from "../quoted.ts";
import { createRandom } from "../random.ts";

/** How exams are dealt out. */
export interface FoldOptions {
  /** How many folds, at least 2. */
  count: number;
  /** The seed of the order in which exams are dealt. */
  seed: number;
  /** Whether each fold gets the same share of each combination of labels. */
  stratify: boolean;
  /** The patient of each exam; an exam that is not named has a patient of its own. */
  patients?: ReadonlyMap<string, string>;
}

/** The largest table of patients, in bytes. */
const MAX_PATIENTS_BYTES = 4 * 1024 * 1024;

/** The exams of one patient, which stay together. */
interface Group {
  name: string;
  ids: string[];
  /** Its labels in all tasks, as text. */
  stratum: string;
  draw: number;
}

/**
 * Deals exams out to folds. Each patient draws a number from its name and the seed; in the order of these
 * numbers, each goes to the fold that has the fewest exams of its stratum, then the fewest of all.
 *
 * @param labels the training exams by task
 * @returns the exams sorted by id
 * @throws {OptionError} if there are fewer patients than folds
 */
export function dealFolds(
  labels: Readonly<Record<string, readonly LabelledId[]>>,
  { count, seed, stratify, patients }: FoldOptions,
): FoldRow[] {
  if (!(Number.isSafeInteger(count) && count >= 2)) {
    throw new OptionError(`Cannot make ${count} folds: give a whole number of at least 2`);
  }
  const groups = _groups(labels, { seed, stratify, patients });
  if (groups.length < count) {
    throw new OptionError(
      `Cannot make ${count} folds of the exams of ${groups.length} patients: give fewer folds`,
    );
  }
  const folds = Array.from({ length: count }, (_, index) => ({ fold: index + 1, exams: 0 }));
  const rows: FoldRow[] = [];
  for (const stratum of Map.groupBy(groups, (group) => group.stratum).values()) {
    const inStratum = new Map(folds.map(({ fold }) => [fold, 0]));
    for (const { name, ids } of stratum) {
      const [chosen] = folds.toSorted((a, b) =>
        inStratum.get(a.fold)! - inStratum.get(b.fold)! || a.exams - b.exams || a.fold - b.fold
      );
      chosen.exams += ids.length;
      inStratum.set(chosen.fold, inStratum.get(chosen.fold)! + ids.length);
      rows.push(...ids.map((id) => ({
        ...{ id, fold: chosen.fold },
        ...(patients && { patient: name }),
      })));
    }
  }
  return rows.sort((a, b) => a.id < b.id ? -1 : 1);
}

/** The patients with their exams: by stratum, larger ones first, then by the number drawn. */
function _groups(
  labels: Readonly<Record<string, readonly LabelledId[]>>,
  { seed, stratify, patients }: Omit<FoldOptions, "count">,
): Group[] {
  const groups = new Map<string, Group & { positive: Set<string> }>();
  for (const [task, rows] of Object.entries(labels)) {
    for (const { id, label } of rows) {
      const name = patients?.get(id) ?? id;
      const draw = () => createRandom(seed, "fold", name).uniform();
      const group = groups.get(name) ??
        { name, ids: [], stratum: "", draw: draw(), positive: new Set<string>() };
      if (!group.ids.includes(id)) group.ids.push(id);
      if (label === 1) group.positive.add(task);
      groups.set(name, group);
    }
  }
  const strata = [...groups.values()].map((group) => ({
    ...group,
    stratum: stratify ? [...group.positive].sort().join() : "",
  }));
  return strata.sort((a, b) =>
    a.stratum !== b.stratum
      ? (a.stratum < b.stratum ? -1 : 1)
      : b.ids.length - a.ids.length || a.draw - b.draw || (a.name < b.name ? -1 : 1)
  );
}

/**
 * Reads whose exams they are: CSV with a line `id,patient` for each; a first line of these words is
 * passed over.
 *
 * @throws {DataError} if the file is missing or anything else, or an exam has two patients
 */
export async function readPatients(path: string): Promise<Map<string, string>> {
  const what = "read the patients";
  const hint = "give a table of lines 'id,patient'";
  const action: FileAction = { what, path, access: "read", error: DataError, hint };
  const bytes = await readBytes(action, { most: MAX_PATIENTS_BYTES });
  const refuse = (found: string) => new DataError(`Cannot ${what} '${path}': ${found}: ${hint}`);
  const patients = new Map<string, string>();
  eachCsvLine(new TextDecoder().decode(bytes), ({ values, line }) => {
    if (line === 1 && values.join() === "id,patient") return;
    const [name, patient] = values;
    if (values.length !== 2 || patient === "" || patient.length > 100) {
      throw refuse(`line ${line} is not 'id,patient'`);
    }
    let id: string;
    try {
      id = examId(name);
    } catch (error) {
      throw refuse(`line ${line}: ${messageOf(error)}`);
    }
    if ((patients.get(id) ?? patient) !== patient) {
      throw refuse(`line ${line}: the exam '${id}' is of ${quoted(patients.get(id)!)} too`);
    }
    patients.set(id, patient);
  }, { columns: 2, refuse });
  return patients;
}
