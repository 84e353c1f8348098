/**
 * A progress line for a terminal, as text; who shows it is the caller's business.
 *
 * @module
 */

/** How far something is. */
export interface Progress {
  /** What is going on, such as `epoch 1/5 train`. */
  label: string;
  /** How many units are done. */
  done: number;
  /** How many there are. */
  total: number;
  /** How long it took so far, in seconds. */
  seconds: number;
  /** What a unit is, in the plural. */
  unit: string;
  /** More to show where there is room, most important first. */
  details?: readonly string[];
}

const BAR = 20;

/**
 * One line: label, bar, count, rate, time left, details. Details that do not fit are left out.
 *
 * @param width the terminal's columns; the line is shorter than that
 *
 * @example
 * ```ts
 * import { progressLine } from "./progress.ts";
 * const line = progressLine({ label: "train", done: 5, total: 10, seconds: 2, unit: "exams" }, 80);
 * console.assert(line === "train ██████████░░░░░░░░░░ 5/10  2.50 exams/s  0:02 left");
 * ```
 */
export function progressLine(progress: Progress, width: number): string {
  const { label, done, total, seconds, unit, details = [] } = progress;
  const filled = total > 0 ? Math.min(BAR, Math.floor(done / total * BAR)) : 0;
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  const rate = seconds > 0 ? done / seconds : 0;
  const parts = [`${label} ${bar} ${done}/${total}`];
  if (rate > 0) {
    parts.push(`${rate.toFixed(rate < 10 ? 2 : 0)} ${unit}/s`);
    parts.push(`${clock((total - done) / rate)} left`);
  }
  let line = "";
  for (const part of [...parts, ...details]) {
    const longer = line === "" ? part : `${line}  ${part}`;
    if (longer.length >= width) break;
    line = longer;
  }
  return line;
}

/** A duration as `m:ss`, or `h:mm:ss` from an hour up. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
