/** What JSON calls an object. */

/** Whether a value is a JSON object, as opposed to an array, a number or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
