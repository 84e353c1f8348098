/** Datasets that refuse exams which do not look like what the model reads. */
import type { Dataset } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import type { Intensity } from "../data/intensity.ts";
import { ODD_HINT, oddityOf } from "../data/oddity.ts";
import { DataError } from "../errors.ts";

/** Which exams are refused, and whether the run continues without them. */
export interface OddRules {
  /** How the model prepares its input. */
  intensity: Intensity;
  /** Whether the run continues without refused exams. */
  skipBadExams?: boolean;
}

/** The training and the validation exams, or a value for each. */
type Pair<T> = { train: T; valid: T };

/**
 * Makes both datasets of a run refuse odd exams when they are read. Each exam is checked once. The first
 * of each dataset is checked at once, because the exams of a folder mostly come from one export, and
 * because the validation exams would otherwise be read only after an epoch.
 *
 * @param fileOf the file of an exam, for messages
 * @throws {DataError} if one of these two is odd and may not be left out
 */
export async function refusingOddPair(
  datasets: Pair<Dataset>,
  fileOf: Pair<(id: string) => string>,
  rules: OddRules,
): Promise<Pair<Dataset>> {
  const strict = {
    train: refusingOdd(datasets.train, fileOf.train, rules),
    valid: refusingOdd(datasets.valid, fileOf.valid, rules),
  };
  if (rules.skipBadExams) return strict;
  for (const split of ["train", "valid"] as const) {
    const dataset = datasets[split];
    // An exam that cannot be read is reported when the training reads it.
    const exam = await dataset.read(0).catch(() => undefined);
    if (exam !== undefined) _check(exam, fileOf[split](exam.id), rules);
  }
  return strict;
}

/** The same dataset, but reading an odd exam fails. */
export function refusingOdd(
  dataset: Dataset,
  fileOf: (id: string) => string,
  rules: OddRules,
): Dataset {
  const sound = new Set<number>();
  return {
    ...dataset,
    async read(index) {
      const exam = await dataset.read(index);
      if (!sound.has(index)) _check(exam, fileOf(dataset.labels[index].id), rules);
      sound.add(index);
      return exam;
    },
  };
}

function _check(exam: Exam, path: string, { intensity }: OddRules): void {
  const odd = oddityOf(exam, intensity);
  if (odd === undefined) return;
  const standardize = oddityOf(exam, "standardized") === undefined
    ? "train with --intensity standardized, "
    : "";
  throw new DataError(
    `Cannot train on '${path}': ${odd}: ${ODD_HINT}, ${standardize}or take it as it is with ` +
      "--any_range 1",
  );
}
