/** Rules by which a threshold is chosen. */
import { OptionError } from "../errors.ts";
import { checkCases } from "./cases.ts";
import { rocCurve } from "./roc.ts";

/** A rule that has a number. */
export type RuleName = "sensitivity" | "specificity" | "cost";

/**
 * How a threshold is chosen:
 *
 * - `youden`: sensitivity + specificity − 1 is largest (W. J. Youden, Index for rating diagnostic tests,
 *   Cancer 3, 1950).
 * - `sensitivity=0.95`: the highest specificity with at least this sensitivity.
 * - `specificity=0.9`: the highest sensitivity with at least this specificity.
 * - `cost=5`: a missed finding is as bad as five false alarms, and the sum of both over the exams is
 *   smallest (C. E. Metz, Basic principles of ROC analysis, Seminars in Nuclear Medicine 8, 1978,
 *   doi:10.1016/S0001-2998(78)80014-2).
 */
export type OperatingRule = "youden" | `${RuleName}=${number}`;

/** The rules in words, for messages. */
export const OPERATING_RULES =
  "youden, sensitivity=S or specificity=S with S above 0 and at most 1, or cost=C with C above 0";

/** What 0.7 · 10 may be too much by. */
const ROUNDING = 1e-9;

/**
 * Reads a rule.
 *
 * @returns undefined if it is none
 *
 * @example
 * ```ts
 * import { parseOperatingRule } from "./operating_rule.ts";
 * console.assert(parseOperatingRule("sensitivity=.95") === "sensitivity=0.95");
 * console.assert(parseOperatingRule("sensitivity=2") === undefined);
 * ```
 */
export function parseOperatingRule(text: string): OperatingRule | undefined {
  if (text === "youden") return text;
  const [, name, digits] = /^(sensitivity|specificity|cost)=(\d+\.?\d*|\.\d+)$/.exec(text) ?? [];
  const number = Number(digits);
  if (!(number > 0 && number <= (name === "cost" ? 1e6 : 1))) return undefined;
  return `${name as RuleName}=${number}`;
}

/** No threshold does what a rule asks for. */
class UnreachedError extends RangeError {}

/** What a threshold does to the cases that choose it. */
interface Outcome {
  truePositives: number;
  falsePositives: number;
  positives: number;
  negatives: number;
}

/**
 * Chooses a threshold by a rule.
 *
 * It lies midway between two scores that occur, so that rounding on another machine changes no decision.
 * Of equally good thresholds the highest is taken, which calls the fewest cases positive.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label
 * @returns a case from this score on is called positive; NaN where only one class is present
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a score is NaN, the rule is none, or
 * a sensitivity or specificity is reached only by calling all cases the same
 *
 * @example
 * ```ts
 * import { chooseThreshold } from "./operating_rule.ts";
 * const [labels, scores] = [[0, 0, 1, 0, 1], [1, 2, 4, 6, 9]];
 * console.assert(chooseThreshold(labels, scores, "sensitivity=1") === 3);
 * console.assert(chooseThreshold(labels, scores, "specificity=1") === 7.5);
 * ```
 */
export function chooseThreshold(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  rule: OperatingRule,
): number {
  checkCases(labels, scores);
  const [name, wanted] = _parsed(rule);
  const positives = Array.from(labels).filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return NaN;
  const { fpr, tpr, thresholds } = rocCurve(labels, scores);
  let [best, value] = [0, -Infinity];
  // The first threshold is infinite: it calls nothing positive and is nobody's operating point.
  for (let i = 1; i < thresholds.length; i++) {
    // Counts compare without rounding, so that ties are ties.
    const counts = [tpr[i] * positives, fpr[i] * negatives].map(Math.round);
    const [truePositives, falsePositives] = counts;
    const own = _value(name, wanted, { truePositives, falsePositives, positives, negatives });
    if (own > value) [best, value] = [i, own];
  }
  const isUseless = name === "sensitivity" ? fpr[best] === 1 : tpr[best] === 0;
  if (isUseless && (name === "sensitivity" || name === "specificity")) {
    throw new UnreachedError(
      `No threshold reaches the ${name} ${wanted} but by calling all ${labels.length} exams ` +
        (name === "sensitivity" ? "positive" : "negative"),
    );
  }
  return _midway(thresholds[best], thresholds[best + 1]);
}

/**
 * {@linkcode chooseThreshold} with a message for users.
 *
 * @param exams which exams choose, in words
 * @throws {OptionError} if the rule is none, or no threshold does what it asks for
 */
export function operatingThreshold(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  rule: OperatingRule,
  exams: string,
): number {
  try {
    return chooseThreshold(labels, probabilities, rule);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OptionError(
      `Cannot choose an operating point by ${exams}: ${error.message}: ask for less, or use youden`,
    );
  }
}

/** A threshold, and the rule that chose it. */
export interface ChosenThreshold {
  /** A case from this score on is called positive. */
  threshold: number;
  /** The rule that chose it. */
  rule: OperatingRule;
  /** Why the rule that was asked for chose none, so that `youden` did; nothing if it chose this one. */
  unreached?: string;
}

/**
 * {@linkcode chooseThreshold} for those who must have one: if no threshold does what the rule asks for,
 * `youden` chooses, and the result says why.
 *
 * @throws {RangeError} as {@linkcode chooseThreshold}, but for that
 */
export function thresholdOrYouden(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  rule: OperatingRule,
): ChosenThreshold {
  try {
    return { threshold: chooseThreshold(labels, scores, rule), rule };
  } catch (error) {
    if (!(error instanceof UnreachedError)) throw error;
    const threshold = chooseThreshold(labels, scores, "youden");
    return { threshold, rule: "youden", unreached: error.message };
  }
}

function _parsed(rule: OperatingRule): [name: "youden" | RuleName, wanted: number] {
  if (rule === "youden") return [rule, NaN];
  const [name, wanted] = (parseOperatingRule(rule) ?? "").split("=");
  if (name !== "") return [name as RuleName, Number(wanted)];
  throw new RangeError(`There is no rule '${rule}': it must be ${OPERATING_RULES}`);
}

/** What a rule finds good about a threshold; −Infinity if it may not be taken. */
function _value(name: "youden" | RuleName, wanted: number, outcome: Outcome): number {
  const { truePositives, falsePositives, positives, negatives } = outcome;
  const trueNegatives = negatives - falsePositives;
  switch (name) {
    case "youden":
      return truePositives * negatives - falsePositives * positives;
    case "sensitivity":
      return truePositives >= wanted * positives - ROUNDING ? trueNegatives : -Infinity;
    case "specificity":
      return trueNegatives >= wanted * negatives - ROUNDING ? truePositives : -Infinity;
    case "cost":
      return -(wanted * (positives - truePositives) + falsePositives);
    default:
      return name satisfies never;
  }
}

/** Midway down to the next score; the score itself where there is none, or nothing between. */
function _midway(score: number, next: number | undefined): number {
  if (next === undefined) return score;
  const middle = next + (score - next) / 2;
  return middle > next && middle <= score ? middle : score;
}
