/** Days as DICOM writes them: `20260131`. */

/** The day so many days ago where this runs. */
export function dayBefore(days: number, now: Date = new Date()): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  const numbers = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return numbers.map((number) => String(number).padStart(2, "0")).join("");
}

/** Whether a text is a day of the calendar, of the years 1000 to 2999: earlier ones stand for days that were removed. */
export function isDay(text: string): boolean {
  const [, year, month, day] = /^([12]\d{3})(\d\d)(\d\d)$/.exec(text) ?? [];
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && Number(day) > 0;
}
