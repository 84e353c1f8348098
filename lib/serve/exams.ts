/** The exams in a request's body: one `.npy` file, or up to three in a form, a plane each. */
import { checkExamHeader, type Exam, examFromNpy, type ExamSize } from "../data/exam.ts";
import { decodeNpy } from "../data/npy.ts";
import { DataError, messageOf } from "../errors.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { ServeLimits } from "./options.ts";
import { Problem } from "./problem.ts";
import { boundaryOf, FormReader } from "./multipart.ts";
import { FORM_TYPE, NPY_TYPES, PredictForm } from "./schemas.ts";

/** How large an exam may be. */
export type ExamLimits = Pick<ServeLimits, "slicePixels" | "voxels">;

/** The exams of a request; one that was sent by itself has no plane yet. */
export type SentExams = { alone: Exam } | { planes: Map<Plane, Exam> };

/**
 * Checks that a body of the request's type can be read, before it is read.
 *
 * @throws {Problem} 415 if it cannot
 */
export function checkType({ headers }: Request): void {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new Problem(415, "The body is compressed: send it as it is", {
      "accept-encoding": "identity",
    });
  }
  const type = _essence(headers);
  if (NPY_TYPES.some((each) => each === type) || type === FORM_TYPE) return;
  const found = type === "" ? "has no content type" : `is '${type.slice(0, 60)}'`;
  throw new Problem(
    415,
    `The body ${found}: send a .npy file as ${NPY_TYPES[0]}, or several as ${FORM_TYPE}`,
    { "accept-post": [...NPY_TYPES, FORM_TYPE].join(", ") },
  );
}

/**
 * What finds the parts of a request's form while its body comes in.
 *
 * @returns `undefined` if the body is no form
 * @throws {Problem} 400 if the form's type does not say what separates its parts
 */
export function formReaderFor({ headers }: Request): FormReader | undefined {
  if (_essence(headers) !== FORM_TYPE) return undefined;
  const boundary = boundaryOf(headers.get("content-type") ?? "");
  if (boundary !== undefined) return new FormReader(boundary, { parts: PLANES.length });
  throw new Problem(400, "The form cannot be read: its type names no boundary");
}

/**
 * Reads the exams of a body.
 *
 * @param form what has found the parts, if the body is a form
 * @param limits how large an exam may be
 * @throws {Problem} 400 if the form is broken or names another part than the planes; 422 if a
 *   part is no exam, or too large a one
 */
export function readExams(
  form: FormReader | undefined,
  bytes: Uint8Array<ArrayBuffer>,
  limits: ExamLimits,
): SentExams {
  if (form === undefined) return { alone: decodeExam(bytes, "body", limits) };
  const planes = new Map<Plane, Exam>();
  for (const [name, part] of _parts(form, bytes)) {
    planes.set(name, decodeExam(part, name, limits));
  }
  return { planes };
}

/**
 * Checks an exam's size before it is decoded.
 *
 * @param name what it is called in messages
 * @throws {DataError} if a slice has more pixels than it may, or the exam more voxels
 */
export function checkExamLimits(
  { slices, height, width }: ExamSize,
  name: string,
  { slicePixels, voxels }: ExamLimits,
): void {
  const size = `${slices} ${slices === 1 ? "slice" : "slices"} of ${height}x${width} pixels`;
  const refusal = (found: string, most: number) =>
    new DataError(
      `Cannot use '${name}' as an exam: it has ${size}, ${found}: at most ${most} are taken`,
    );
  if (height * width > slicePixels) throw refusal(`${height * width} pixels a slice`, slicePixels);
  const all = slices * height * width;
  if (all > voxels) throw refusal(`${all} voxels`, voxels);
}

/**
 * An exam from the bytes of its file.
 *
 * @param name what it is called in messages
 * @throws {Problem} 422 if it is no exam, or larger than it may be
 */
export function decodeExam(bytes: Uint8Array, name: string, limits: ExamLimits): Exam {
  try {
    const array = decodeNpy(bytes, name, (header) => {
      checkExamLimits(checkExamHeader(header, name), name, limits);
    });
    return examFromNpy(array, name, name);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new Problem(422, messageOf(error));
  }
}

function _parts(form: FormReader, bytes: Uint8Array<ArrayBuffer>): [Plane, Uint8Array][] {
  const planes = PLANES.join(", ");
  const parts: [Plane, Uint8Array][] = [];
  for (const { name, filename, bytes: content } of form.parts(bytes)) {
    const shown = name.slice(0, 40).replace(/[^ -~]/g, "?");
    if (!Object.hasOwn(PredictForm.shape, name)) {
      throw new Problem(
        400,
        `The form has a part '${shown}': name each after its plane, ${planes}`,
      );
    }
    if (parts.some(([plane]) => plane === name)) {
      throw new Problem(400, `The form has '${shown}' twice: send one exam a plane`);
    }
    if (filename === undefined) {
      throw new Problem(400, `The form's part '${shown}' is text: send a file, with a file name`);
    }
    parts.push([name as Plane, content]);
  }
  if (parts.length > 0) return parts;
  throw new Problem(
    400,
    `The form is empty: send a .npy file under the name of its plane, ${planes}`,
  );
}

function _essence(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
}
