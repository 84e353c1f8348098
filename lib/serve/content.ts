/**
 * What a request's body holds: one `.npy` file, up to three in a form, a plane each, or the files of a
 * study. Nothing is decoded here.
 */
import { isDicom } from "../imaging/dicom/dataset.ts";
import { type GivenFile, isZip } from "../imaging/files.ts";
import { isNifti } from "../imaging/nifti.ts";
import { type BodyPart, boundaryOf, type MultipartFault, MultipartReader } from "../multipart.ts";
import { asciiOf } from "../quoted.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { ServeLimits } from "./options.ts";
import { Problem } from "./problem.ts";
import { FORM_TYPE, NPY_TYPES, RELATED_TYPE, STUDY_TYPES } from "./schemas.ts";

/** The content of a body: one of three kinds. */
export type Content =
  | { kind: "exam"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "planes"; planes: ReadonlyMap<Plane, Uint8Array<ArrayBuffer>> }
  | {
    kind: "study";
    files: readonly GivenFile[];
    /** Which series are meant, as the form says. */
    series: readonly string[];
  };

const TYPES: readonly string[] = [...NPY_TYPES, ...STUDY_TYPES, FORM_TYPE, RELATED_TYPE];

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
  if (TYPES.includes(type)) return;
  const found = type === "" ? "has no content type" : `is '${type.slice(0, 60)}'`;
  throw new Problem(
    415,
    `The body ${found}: send a .npy file as ${
      NPY_TYPES[0]
    }, several as ${FORM_TYPE}, or a study as ` +
      STUDY_TYPES[0],
    { "accept-post": TYPES.join(", ") },
  );
}

/**
 * What finds the parts of a request's form while its body comes in.
 *
 * @returns `undefined` if the body is no form
 * @throws {Problem} 400 if the form's type does not say what separates its parts
 */
export function formReaderFor(
  { headers }: Request,
  { images }: Pick<ServeLimits, "images">,
): MultipartReader | undefined {
  const type = _essence(headers);
  if (type !== FORM_TYPE && type !== RELATED_TYPE) return undefined;
  const boundary = boundaryOf(headers.get("content-type") ?? "");
  // Beside its files a study's form may say which series are meant.
  const parts = images + PLANES.length;
  const refuse = (fault: MultipartFault) => new Problem(400, _formFault(fault, parts));
  const limits = { parts, named: type === FORM_TYPE, refuse };
  if (boundary !== undefined) return new MultipartReader(boundary, limits);
  throw new Problem(400, "The form cannot be read: its type names no boundary");
}

/**
 * The content of a body that has come in.
 *
 * @param form what has found the parts, if the body is a form
 * @throws {Problem} 400 if the form is broken, or has parts that do not belong together
 */
export function contentOf(
  { headers }: Request,
  form: MultipartReader | undefined,
  bytes: Uint8Array<ArrayBuffer>,
): Content {
  if (form !== undefined) return _formContent(form.parts(bytes), _essence(headers));
  const isStudy = (STUDY_TYPES as readonly string[]).includes(_essence(headers));
  const name = _isGzip(bytes) ? "body.nii.gz" : "body";
  if (!isStudy && !_isImages(bytes, name)) return { kind: "exam", bytes };
  return { kind: "study", files: [{ name, bytes }], series: [] };
}

function _formContent(parts: readonly BodyPart[], type: string): Content {
  const isOfStudy = (part: BodyPart) =>
    type === RELATED_TYPE || part.name === "study" ||
    (STUDY_TYPES as readonly string[]).includes(part.type ?? "");
  const files = parts.filter(isOfStudy);
  if (files.length === 0) return { kind: "planes", planes: _planes(parts) };
  const series: string[] = [];
  for (const part of parts) {
    if (isOfStudy(part)) continue;
    if (part.name !== "series" || part.filename !== undefined) {
      throw new Problem(
        400,
        `The form has a part '${asciiOf(part.name ?? "")}' beside a study: send exams or a study`,
      );
    }
    series.push(new TextDecoder().decode(part.bytes.subarray(0, 1000)));
  }
  return { kind: "study", files: _named(files), series };
}

/** What is wrong with a form, and how to send another. */
function _formFault(fault: MultipartFault, parts: number): string {
  switch (fault) {
    case "no end":
      return "The form cannot be read: check its boundary and its end";
    case "too many parts":
      return `The form has more than ${parts} parts: send an exam a plane, or a study as an archive`;
    case "a part without a name":
      return "The form has a part without a name: name each after its plane";
    case "an encoded part":
      return "The form has a part that is encoded: send it as it is";
    default:
      return fault satisfies never;
  }
}

/** The files of parts, each with a name that no other has. */
function _named(parts: readonly BodyPart[]): GivenFile[] {
  const taken = new Set<string>();
  return parts.map(({ filename, bytes }, index) => {
    const own = filename || `part ${index + 1}`;
    // In front, for the end of a name tells a gzipped NIfTI file.
    const name = taken.has(own) ? `part ${index + 1}/${own}` : own;
    taken.add(name);
    return { name, bytes };
  });
}

function _planes(parts: readonly BodyPart[]): Map<Plane, Uint8Array<ArrayBuffer>> {
  const names = PLANES.join(", ");
  const planes = new Map<Plane, Uint8Array<ArrayBuffer>>();
  for (const part of parts) {
    const plane = PLANES.find((each) => each === part.name);
    if (plane === undefined) {
      throw new Problem(
        400,
        `The form has a part '${
          asciiOf(part.name ?? "")
        }': name each after its plane, ${names}, or each file of ` +
          "a study 'study'",
      );
    }
    if (planes.has(plane)) {
      throw new Problem(400, `The form has '${plane}' twice: send one exam a plane`);
    }
    if (part.filename === undefined) {
      throw new Problem(400, `The form's part '${plane}' is text: send a file, with a file name`);
    }
    planes.set(plane, part.bytes);
  }
  if (planes.size > 0) return planes;
  throw new Problem(
    400,
    `The form is empty: send a .npy file under the name of its plane, ${names}, or the files of a ` +
      "study under 'study'",
  );
}

/** Whether bytes are of a study, as far as their beginning tells. */
function _isImages(bytes: Uint8Array, name: string): boolean {
  return isZip(bytes) || isDicom(bytes) || isNifti(bytes, name);
}

function _isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function _essence(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
}
