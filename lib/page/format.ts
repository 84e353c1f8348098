/** Metrics as text. What is undefined says so. */
import type { OperatingRule } from "../metrics/operating_rule.ts";
import type { NamedThreshold } from "../metrics/summary.ts";
import type { Plane, Task } from "../terms.ts";

/** What a metric is called that does not exist, such as a sensitivity without a positive exam. */
export const UNDEFINED = "undefined";

/** A metric with so many digits after the point, or `∞`. */
export function fixed(value: number, digits: number): string {
  if (value === Infinity) return "∞";
  return Number.isNaN(value) ? UNDEFINED : value.toFixed(digits);
}

/** An interval, `0.851–0.973`. */
export function range({ low, high }: { low: number; high: number }, digits: number): string {
  const ends = [fixed(low, digits), fixed(high, digits)];
  if (ends.includes(UNDEFINED)) return UNDEFINED;
  // A dash after a minus sign cannot be read.
  return ends.some((end) => end.startsWith("-")) ? ends.join(" to ") : ends.join("–");
}

/** A p value, `p = 0.027` or `p < 0.001`. */
export function pValue(p: number): string {
  if (Number.isNaN(p)) return `p ${UNDEFINED}`;
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
}

/** How a threshold is written: its shortest form of at most four digits after the point. */
export function thresholdText(threshold: number): string {
  return String(Number(threshold.toFixed(4)));
}

/** What a threshold is, in a word or two. */
export function thresholdKind({ kind, rule }: Pick<NamedThreshold, "kind" | "rule">): string {
  switch (kind) {
    case "half":
      return "default";
    case "operating point":
      return "operating point";
    case "given":
      return "as asked";
    case "rule":
      return rule ?? "by a rule";
    default:
      return kind satisfies never;
  }
}

/** How an operating point was chosen, in words. */
export function ruleText(rule: OperatingRule): string {
  if (rule === "youden") return "Youden’s index";
  const [name, number] = rule.split("=");
  return name === "cost"
    ? `a cost of ${number} false alarms for a missed finding`
    : `a ${name} of ${number}`;
}

/** The finding as a heading. */
export const FINDINGS: Readonly<Record<Task, string>> = {
  abnormal: "Any abnormality",
  acl: "ACL tear",
  meniscus: "Meniscal tear",
};

/** A model's subject as a heading: `ACL tear, sagittal plane`. */
export function subject(task: Task, plane: Plane | "combined"): string {
  return `${FINDINGS[task]}, ${planeText(plane)}`;
}

/** `sagittal plane`, or `three planes combined`. */
export function planeText(plane: Plane | "combined"): string {
  return plane === "combined" ? "three planes combined" : `${plane} plane`;
}

/** A likelihood ratio with about three digits. */
export function ratioText(value: number): string {
  return fixed(value, value < 1 ? 3 : value < 10 ? 2 : 1);
}

/** A ratio's interval. */
export function ratioRange({ low, high }: { low: number; high: number }): string {
  const ends = [ratioText(low), ratioText(high)];
  return ends.includes(UNDEFINED) ? UNDEFINED : ends.join("–");
}

/** The name of a likelihood ratio, and where it is found. */
export const RATIOS = [
  ["positiveLikelihoodRatio", "Positive likelihood ratio"],
  ["negativeLikelihoodRatio", "Negative likelihood ratio"],
] as const;

/** The name of a metric at a threshold, and where it is found. */
export const RATES = [
  ["sensitivity", "Sensitivity"],
  ["specificity", "Specificity"],
  ["accuracy", "Accuracy"],
  ["ppv", "Positive predictive value"],
  ["npv", "Negative predictive value"],
] as const;
