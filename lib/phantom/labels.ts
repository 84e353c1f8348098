/**
 * Which exam of a made-up dataset has which findings: the counts are exact, which exams
 * get them is drawn.
 */
import { OptionError } from "../errors.ts";
import { createRandom } from "../random.ts";
import { type Split, type Task, TASKS } from "../terms.ts";
import type { Findings } from "./injuries.ts";

/** Share of exams with each finding, 0 to 1. */
export type Prevalence = Readonly<Record<Task, number>>;

/**
 * The shares of MRNet (Bien et al., "Deep-learning-assisted diagnosis for knee magnetic resonance
 * imaging", PLOS Medicine 2018).
 */
export const MRNET_PREVALENCE = {
  train: { abnormal: 0.81, acl: 0.18, meniscus: 0.35 },
  valid: { abnormal: 0.79, acl: 0.45, meniscus: 0.43 },
} as const satisfies Record<Split, Prevalence>;

/** Share of the knees with a torn ligament whose meniscus is torn too, as in MRNet (194 of 319). */
const BOTH_TORN = 0.6;

/**
 * Deals out findings: each finding's share of the exams rounded to whole exams, in random order.
 *
 * Where there are two exams or more, a share between 0 and 1 gives at least one exam with the
 * finding and one without, so that every ROC curve exists. A share of 0 or 1 is met exactly.
 * Tears of ligament and meniscus overlap as in MRNet, as far as the counts let them.
 *
 * @param count number of exams
 * @param prevalence share of exams with each finding
 * @param seed whole number that decides who gets what
 * @param split the split, which is drawn by itself
 * @returns findings, one for each exam
 * @throws {OptionError} if a share is out of range, or fewer exams are abnormal than are torn
 */
export function dealFindings(
  count: number,
  prevalence: Prevalence,
  seed: number,
  split: Split,
): Findings[] {
  const quota = (task: Task): number => {
    const share = prevalence[task];
    const whole = Math.round(share * count);
    return count < 2 || share === 0 || share === 1
      ? whole
      : Math.min(Math.max(whole, 1), count - 1);
  };
  checkPrevalence(prevalence, split);
  const [acl, meniscus] = [quota("acl"), quota("meniscus")];
  const abnormal = Math.max(quota("abnormal"), acl, meniscus);
  const overlap = Math.min(
    Math.max(Math.round(BOTH_TORN * acl), acl + meniscus - abnormal),
    acl,
    meniscus,
  );
  const findings = Array.from({ length: count }, (_, k): Findings => ({
    abnormal: k < abnormal ? 1 : 0,
    acl: k < acl ? 1 : 0,
    meniscus: k >= acl - overlap && k < acl - overlap + meniscus ? 1 : 0,
  }));
  return createRandom(seed, "phantom", "findings", split).shuffle(findings);
}

/** Refuses shares that are not from 0 to 1, or that make torn knees normal. */
export function checkPrevalence(prevalence: Prevalence, split: Split): void {
  for (const task of TASKS) {
    const share = prevalence[task];
    if (!(share >= 0 && share <= 1)) {
      throw new OptionError(
        `Cannot make ${split} phantoms with a prevalence of ${share} for '${task}': ` +
          `it must be a number from 0 to 1`,
      );
    }
    if (share > prevalence.abnormal) {
      throw new OptionError(
        `Cannot make ${split} phantoms with a prevalence of ${share} for '${task}' and ` +
          `${prevalence.abnormal} for 'abnormal': a torn knee is abnormal, so the latter must not ` +
          `be the smaller`,
      );
    }
  }
}
