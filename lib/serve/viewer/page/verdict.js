/** What models say of an exam, held against its label and against each other. */

/** What an exam's answer is, held against its label: TP, FP, TN or FN. */
export function outcomeOf(decision, label) {
  if (decision === undefined || label === undefined) return undefined;
  return `${decision === (label === 1) ? "T" : "F"}${decision ? "P" : "N"}`;
}

/** The logit of what a model says. */
export function logitOf({ probability, logit, logits }) {
  return logit ?? logits?.[1] ?? Math.log(probability / (1 - probability));
}

/** Whether two models decide differently; not if one of them says nothing. */
export function decisionsDiffer(one, other) {
  return one !== undefined && other !== undefined && one.decision !== other.decision;
}

/**
 * How far two models disagree, as a number to order exams by: the difference of their probabilities, and
 * all exams on which their decisions differ above all others. `-Infinity` if one of them says nothing.
 */
export function disagreementOf(one, other) {
  if (one === undefined || other === undefined) return -Infinity;
  const difference = Math.abs(one.probability - other.probability);
  return decisionsDiffer(one, other) ? 2 + difference : difference;
}
