/** The exams that a model is to be evaluated or recalibrated on: a split of a dataset, or studies. */
import type { Classifier } from "../classifier/classifier.ts";
import type { DatasetOptions } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import type { SeriesChoice } from "../imaging/choose.ts";
import type { Split, Task } from "../terms.ts";
import type { EvaluatedSet } from "./acquaintance.ts";
import { type OpenedExams, openExams, openSplit } from "./evaluated_exams.ts";
import { LabelledStudies, type LeftOutStudies } from "./labelled_studies.ts";

/** Which exams. */
export interface AskedExamsOptions extends Pick<DatasetOptions, "data"> {
  /** The split; `tune` are the training exams that the model was not trained on. */
  split?: Split | "tune";
  /**
   * A table of labels, `id,abnormal,acl,meniscus`: `data` is then a folder or an archive of studies from a
   * scanner, one a patient, which are read as `importExams` reads them. A study goes by its identifier or
   * a folder it lies in.
   * @default none, `data` is a dataset in MRNet's folders
   */
  labels?: string;
  /** Which series of a study is meant if several fit a plane; needs `labels`. */
  series?: readonly SeriesChoice[];
}

/**
 * Checks that the options go together.
 *
 * @param action what is done with a split, such as `evaluate`
 * @throws {OptionError} if they do not
 */
export function checkAskedExams(
  action: string,
  { split, labels, series }: AskedExamsOptions,
): void {
  if (labels !== undefined && split !== undefined) {
    throw new OptionError(
      `Cannot ${action} a split of studies: give 'labels' or 'split', not both`,
    );
  }
  if (labels === undefined && series !== undefined) {
    throw new OptionError("Cannot choose series of a dataset: 'series' goes with 'labels'");
  }
}

/** The exams, whatever they are. They hold files until they are disposed of (`using`). */
export class AskedExams implements Disposable {
  /** The folder or the archive. */
  readonly data: string;
  /** Which exams of it. */
  readonly split: EvaluatedSet;
  readonly #studies: LabelledStudies | undefined;

  private constructor(data: string, split: EvaluatedSet, studies?: LabelledStudies) {
    this.data = data;
    this.split = split;
    this.#studies = studies;
  }

  /**
   * Opens the studies, if these are meant.
   *
   * @param fallback the split if none is given
   * @throws {DataError} if the studies or the table of labels cannot be read
   */
  static async open(
    { data = "data", split, labels, series }: AskedExamsOptions,
    fallback: Split | "tune",
  ): Promise<AskedExams> {
    if (labels === undefined) return new AskedExams(data, split ?? fallback);
    return new AskedExams(data, "studies", await LabelledStudies.open({ data, labels, series }));
  }

  /**
   * Opens and checks the exams in every plane that a classifier reads.
   *
   * @param tune the tune split that they are, or that is kept out of them
   * @throws {DataError} if they cannot be used; see {@linkcode openDataset}
   */
  async for(classifier: Classifier, tune: DatasetOptions["tune"]): Promise<OpenedExams> {
    const { data, split } = this;
    const datasets = split === "studies"
      ? this.#studies!.datasets(classifier.task, classifier.planes)
      : await openSplit(classifier, { data, split, tune });
    return openExams(classifier, datasets, { split });
  }

  /** What was left out, if these are studies. */
  leftOut(task: Task): LeftOutStudies | undefined {
    return this.#studies?.leftOut(task);
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    this.#studies?.[Symbol.dispose]();
  }
}
