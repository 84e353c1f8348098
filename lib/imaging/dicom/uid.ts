/** DICOM's unique identifiers. */

/** True for a unique identifier: numbers that are joined by points, at most 64 letters. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)+$/.test(text);
}
