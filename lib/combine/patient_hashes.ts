/** The hashes of patients' exams, plane by plane and together. */
import type { Exam } from "../data/exam.ts";
import { type ExamHash, hashExam, hashTogether } from "../data/exam_hash.ts";
import { type Plane, PLANES } from "../terms.ts";
import { type ByPlane, byPlane } from "./combination.ts";

/** Takes them while the exams are read. */
export class PatientHashes {
  readonly #planes = byPlane(() => new Map<string, Promise<ExamHash>>());

  /** Takes the hash of an exam. */
  add(exam: Exam, plane: Plane): void {
    this.#planes[plane].set(exam.id, hashExam(exam));
  }

  /** The hashes of each plane's exams, in the order in which they were read. */
  async planes(): Promise<ByPlane<ExamHash[]>> {
    const [axial, coronal, sagittal] = await Promise.all(
      PLANES.map((plane) => Promise.all(this.#planes[plane].values())),
    );
    return { axial, coronal, sagittal };
  }

  /** A hash of each patient whose three exams were read, in the order of the axial ones. */
  async patients(): Promise<ExamHash[]> {
    const planes = byPlane(() => new Map<string, ExamHash>());
    for (const plane of PLANES) {
      for (const [id, hash] of this.#planes[plane]) planes[plane].set(id, await hash);
    }
    return await patientHashes(planes);
  }
}

/** A hash of each patient that all three planes have, in the order of the axial ones. */
export async function patientHashes(
  planes: ByPlane<ReadonlyMap<string, ExamHash>>,
): Promise<ExamHash[]> {
  const patients: ExamHash[] = [];
  for (const id of planes.axial.keys()) {
    const hashes = PLANES.map((plane) => planes[plane].get(id)).filter((each) =>
      each !== undefined
    );
    if (hashes.length === PLANES.length) patients.push(await hashTogether(hashes));
  }
  return patients;
}
