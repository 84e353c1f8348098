/** Patients' exams from their files: which file is whose, and in which plane. */
import { examFileOf } from "../data/exam_files.ts";
import { planeOfName, withoutPlane } from "../data/plane_name.js";
import { OptionError } from "../errors.ts";
import { baseName, folderOf } from "../files.ts";
import { type Plane, PLANES } from "../terms.ts";
import { type ByPlane, everyPlane } from "./combination.ts";

/** The files of one patient. */
export interface PatientFiles {
  /** The patient's name. */
  id: string;
  /** The exam of each plane. */
  files: ByPlane<string>;
}

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
 * @throws {DataError} if a patient lacks a plane, naming it
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
  return {
    id: withoutPlane(id) || baseName(folderOf(path)).replace(/^\.+$/, "") || "exam",
    plane: own,
  };
}

/**
 * One patient by the files of the three planes, wherever they lie.
 *
 * @param id the patient's name
 * @param files the exam of each plane
 * @returns the patient, as `predictPatients` takes one
 * @throws {DataError} if a plane is missing, naming it
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
