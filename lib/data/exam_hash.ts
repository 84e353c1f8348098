/**
 * Hashes that tell whether two exams are the same, whatever they are called and wherever they lie, and
 * how many of some exams are among others.
 */
import type { Exam } from "./exam.ts";

/** Eight of SHA-256's bytes: of a million exams two share them with a chance of one in 30 million. */
const BYTES = 8;

/** An exam's hash, 16 hexadecimal digits. */
export type ExamHash = string;

/**
 * The hash of an exam: of its shape, the type of its voxels, and the voxels. Its name and its label do
 * not count: an exam under another name, or for another finding, is the same exam.
 *
 * @example
 * ```ts
 * import { hashExam } from "./exam_hash.ts";
 * const exam = { slices: 1, height: 64, width: 64, voxels: new Uint8Array(64 * 64) };
 * console.assert((await hashExam(exam)).length === 16);
 * ```
 */
export async function hashExam(
  { slices, height, width, voxels }: Omit<Exam, "id">,
): Promise<ExamHash> {
  const type = voxels instanceof Uint8Array ? "uint8" : "float32";
  // Whoever calls may go on with the voxels at once: the digest takes a copy before it returns.
  const inside = await crypto.subtle.digest("SHA-256", voxels as BufferSource);
  const hex = new Uint8Array(inside).toHex();
  return await _hash(`exam ${slices} ${height} ${width} ${type} ${hex}`);
}

/** The hash of several exams that belong together, such as a patient's, from theirs. */
export function hashTogether(hashes: readonly ExamHash[]): Promise<ExamHash> {
  return _hash(`exams ${hashes.join(" ")}`);
}

/** Hashes as a text, eleven characters each. */
export function encodeHashes(hashes: readonly ExamHash[]): string {
  return Uint8Array.fromHex(hashes.join("")).toBase64();
}

/**
 * The hashes that {@linkcode encodeHashes} made a text of.
 *
 * @throws {RangeError} if the text is none of these
 */
export function decodeHashes(text: unknown): ExamHash[] {
  let hex: string | undefined;
  try {
    if (typeof text === "string") hex = Uint8Array.fromBase64(text).toHex();
  } catch {
    // Said below.
  }
  if (hex === undefined || hex.length % (2 * BYTES) !== 0) {
    throw new RangeError(`hashes of exams in base64, ${BYTES} bytes each, are needed`);
  }
  return hex.match(/.{16}/g) ?? [];
}

/** Exams that something knows, by their hashes, or that it does not tell which it knows. */
export type KnownExams = readonly ExamHash[] | "unknown";

/** Known exams as a text. */
export function encodeKnownExams(exams: KnownExams): string {
  return exams === "unknown" ? exams : encodeHashes(exams);
}

/**
 * What {@linkcode encodeKnownExams} made a text of.
 *
 * @throws {RangeError} if the text is neither hashes nor `unknown`
 */
export function decodeKnownExams(text: unknown): KnownExams {
  return text === "unknown" ? text : decodeHashes(text);
}

/** How many of some exams are among others. */
export function countAmong(exams: readonly ExamHash[], others: readonly ExamHash[]): number {
  const known = new Set(others);
  return exams.filter((hash) => known.has(hash)).length;
}

async function _hash(text: string): Promise<ExamHash> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, BYTES).toHex();
}
