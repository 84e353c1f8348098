/**
 * Patients' exams from their files: which file is whose, in which plane, and what a combination says
 * about them.
 *
 * @module
 */
import { examFileOf } from "../data/exam_files.ts";
import { planeOfName } from "../data/plane_name.js";
import { type MRNetError, OptionError } from "../errors.ts";
import { baseName, folderOf } from "../files.ts";
import type { FilePrediction } from "../model/file_prediction.ts";
import type { Prediction } from "../model/mrnet.ts";
import { type Plane, PLANES } from "../terms.ts";
import { predictFiles } from "../train/predict.ts";
import { type ByPlane, byPlane } from "./combination.ts";
import { type CombinedMRNet, type CombinedPrediction, everyPlane } from "./loaded.ts";

/** The files of one patient. */
export interface PatientFiles {
  /** The patient's name. */
  id: string;
  /** The exam of each plane. */
  files: ByPlane<string>;
}

/** What a combination says about a patient, or why it says nothing. */
export type PatientOutcome =
  & PatientFiles
  & ({
    prediction: CombinedPrediction;
    /** What makes exams unlike those that a model can read, by their planes, where something does. */
    odd?: Partial<ByPlane<string>>;
  } | { error: MRNetError });

/**
 * Sorts exams by patient and plane, as MRNet's folders have them: `…/axial/0012.npy`,
 * `…/coronal/0012.npy` and `…/sagittal/0012.npy` are one patient. Where folders are not called by their
 * planes the files' names tell: `12_axial.npy`, `12_cor.npy` and `12-sag.npy` are one patient too, and
 * `knee/axial.npy`, `knee/coronal.npy` and `knee/sagittal.npy` are the patient `knee`.
 *
 * @param paths in any order
 * @returns the patients in the order of their first file
 * @throws {OptionError} if neither a file's folder nor its name tells the plane, the two contradict each
 *   other, or a plane comes twice
 * @throws {DataError} where a patient lacks a plane, naming it
 *
 * @example
 * ```ts
 * import { groupByPatient } from "./patients.ts";
 * const paths = ["axial", "coronal", "sagittal"].map((plane) => `data/valid/${plane}/0012.npy`);
 * const [patient] = groupByPatient(paths);
 * console.assert(patient.id === "0012" && patient.files.coronal === paths[1]);
 * ```
 */
export function groupByPatient(paths: readonly string[]): PatientFiles[] {
  const patients = new Map<string, Partial<ByPlane<string>>>();
  for (const path of paths) {
    const { id, plane } = _whose(path);
    const files = patients.get(id) ?? {};
    if (files[plane] !== undefined) {
      throw new OptionError(
        `Cannot tell which is the ${plane} exam of patient '${id}': both '${files[plane]}' and ` +
          `'${path}' are: predict them one after the other`,
      );
    }
    patients.set(id, { ...files, [plane]: path });
  }
  return [...patients].map(([id, files]) => patientOf(id, files));
}

/** The patient and the plane that a path speaks of. */
function _whose(path: string): { id: string; plane: Plane } {
  const { id } = examFileOf(path);
  const own = planeOfName(id);
  const folder = baseName(folderOf(path)).toLowerCase() as Plane;
  const hint = "give the three files with --axial, --coronal and --sagittal";
  if (PLANES.includes(folder)) {
    if (own === undefined || own === folder) return { id, plane: folder };
    throw new OptionError(
      `Cannot tell the plane of '${path}': its folder says ${folder} and its name ${own}: ${hint}`,
    );
  }
  if (own === undefined) {
    throw new OptionError(
      `Cannot tell the plane of '${path}': neither its name nor its folder says axial, coronal or ` +
        `sagittal: ${hint}`,
    );
  }
  // What is left of the name without the plane is the patient's; if nothing is, the folder's.
  const rest = id.replace(new RegExp(`${own}|${own.slice(0, 3)}(?![a-z])`, "i"), "")
    .replace(/^[\s_.-]+|[\s_.-]+$/g, "").replace(/([\s_.-])[\s_.-]+/g, "$1");
  return { id: rest || baseName(folderOf(path)).replace(/^\.+$/, "") || "exam", plane: own };
}

/**
 * One patient by the files of the three planes, wherever they lie.
 *
 * @param id the patient's name
 * @param files the exam of each plane
 * @returns what {@linkcode predictPatients} takes
 * @throws {DataError} where a plane is missing, naming it
 *
 * @example
 * ```ts
 * import { patientOf } from "./patients.ts";
 * const { files } = patientOf("0012", { axial: "a.npy", coronal: "c.npy", sagittal: "s.npy" });
 * console.assert(files.coronal === "c.npy");
 * ```
 */
export function patientOf(id: string, files: Partial<ByPlane<string>>): PatientFiles {
  return { id, files: everyPlane(files, `predict patient '${id}'`) };
}

/** What a model of one plane says about files, in their order. */
export type PlanePredictor = (plane: Plane, paths: string[]) => AsyncIterator<FilePrediction>;

/**
 * Predicts patients, in order. One with an exam that cannot be read is given as its error, and the
 * others go on.
 *
 * @param predict what runs the model of each plane; {@linkcode predictFiles} where it is left out
 * @throws {EngineError} where the engine fails
 */
export async function* predictPatients(
  combined: CombinedMRNet,
  patients: readonly PatientFiles[],
  predict: PlanePredictor = (plane, paths) => predictFiles(combined.members[plane].model, paths),
): AsyncGenerator<PatientOutcome> {
  const running = byPlane((plane) => predict(plane, patients.map(({ files }) => files[plane])));
  try {
    for (const patient of patients) {
      const planes: Partial<ByPlane<Prediction>> = {};
      const odd: Partial<ByPlane<string>> = {};
      let error: MRNetError | undefined;
      for (const plane of PLANES) {
        const outcome: FilePrediction = (await running[plane].next()).value;
        if ("error" in outcome) error ??= outcome.error;
        else planes[plane] = outcome.prediction;
        if ("odd" in outcome && outcome.odd !== undefined) odd[plane] = outcome.odd;
      }
      if (error !== undefined) yield { ...patient, error };
      else {
        const prediction = combined.combine(planes as ByPlane<Prediction>);
        yield { ...patient, prediction, ...(Object.keys(odd).length > 0 && { odd }) };
      }
    }
  } finally {
    for (const plane of PLANES) await running[plane].return?.();
  }
}
