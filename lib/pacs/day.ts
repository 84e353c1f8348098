/** Days as DICOM writes them: `20260131`. */

/** The day so many days ago where this runs. */
export function dayBefore(days: number, now: Date = new Date()): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  const numbers = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return numbers.map((number) => String(number).padStart(2, "0")).join("");
}
