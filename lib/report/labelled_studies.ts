/**
 * Studies from a scanner with labels, as the exams that a classifier is evaluated on: the same exams, in
 * the same order, as if they were imported first.
 */
import type { ByPlane } from "../combine/combination.ts";
import { checkClasses, type Dataset } from "../data/dataset.ts";
import type { LabelledId } from "../data/labels.ts";
import { DataError } from "../errors.ts";
import { choiceOf, type ChooseOptions } from "../imaging/choose.ts";
import type { SkippedFile } from "../imaging/found.ts";
import { readLabelTable } from "../imaging/label_table.ts";
import { Studies, type Study } from "../imaging/studies.ts";
import { labelsOfStudies, type StudyLabels, StudyNames } from "../imaging/study_names.ts";
import { listed } from "../quoted.ts";
import type { Plane, Task } from "../terms.ts";

/** Where studies lie, and what is known of them. */
export interface LabelledStudiesOptions extends Pick<ChooseOptions, "series"> {
  /** A folder or an archive of studies. */
  data: string;
  /** A table `id,abnormal,acl,meniscus`. */
  labels: string;
}

/** What was left out of an evaluation of studies. */
export interface LeftOutStudies {
  /** Studies without a label of the finding. */
  unlabelled: string[];
  /** What the table of labels calls studies that are not there. */
  unknownLabels: string[];
  /** Files that should hold images and are of no use. */
  skipped: readonly SkippedFile[];
}

/** A study and its name among exams. */
type Named = Study & { id: string };

/** How many studies that cannot be used are named. */
const MAX_NAMED = 5;

/** Studies with labels; they can be read until this is disposed of. */
export class LabelledStudies implements Disposable {
  readonly #options: LabelledStudiesOptions;
  readonly #studies: Studies;
  readonly #named: readonly Named[];
  readonly #labels: StudyLabels;

  private constructor(
    options: LabelledStudiesOptions,
    studies: Studies,
    labels: (named: readonly Named[]) => StudyLabels,
  ) {
    this.#options = options;
    this.#studies = studies;
    const names = new StudyNames();
    this.#named = studies.studies.filter(({ choices }) => choices.length > 0)
      .map((study) => ({ ...study, id: names.of(study.series[0]) }))
      .sort((a, b) => a.id < b.id ? -1 : 1);
    this.#labels = labels(this.#named);
  }

  /**
   * Reads the table and the headers of all files.
   *
   * @throws {DataError} if the folder or the table is missing or broken
   * @throws {PermissionError} if Deno may not read one
   */
  static async open(options: LabelledStudiesOptions): Promise<LabelledStudies> {
    const table = await readLabelTable(options.labels);
    const studies = await Studies.open([options.data], options);
    return new LabelledStudies(options, studies, (named) => labelsOfStudies(named, table));
  }

  /**
   * The exams of each plane with the labels of a finding.
   *
   * @throws {DataError} if a labelled study has no series of a plane, or several, or all labels are the
   *   same
   */
  datasets(task: Task, planes: readonly Plane[]): Partial<ByPlane<Dataset>> {
    const { data, labels: table } = this.#options;
    const used = this.#named.filter(({ id }) => this.#labels.given.get(id)?.[task] !== undefined);
    if (used.length === 0) {
      const known = listed(this.#named.map((study) => `'${this.#nameOf(study)}'`));
      throw new DataError(
        `Cannot evaluate the studies in '${data}': '${table}' has no label of ${task} for any of ` +
          `them (${known || "none is there"}): an id is a study's identifier, or its folder's name`,
      );
    }
    this.#checkPlanes(used, planes);
    const labels = used.map((study): LabelledId => ({
      id: this.#nameOf(study),
      label: this.#labels.given.get(study.id)![task]!,
    }));
    checkClasses(labels, table);
    return Object.fromEntries(planes.map((plane) => {
      const read = async (index: number) => ({
        ...await used[index].exams[plane]!.read(),
        id: labels[index].id,
      });
      return [plane, { labels, read }];
    }));
  }

  /** What the datasets of a finding leave out. */
  leftOut(task: Task): LeftOutStudies {
    const without = this.#named.filter(({ id }) =>
      this.#labels.given.get(id)?.[task] === undefined
    );
    return {
      unlabelled: without.map((study) => this.#nameOf(study)),
      unknownLabels: this.#labels.unknown,
      skipped: this.#studies.skipped,
    };
  }

  [Symbol.dispose](): void {
    this.#studies[Symbol.dispose]();
  }

  /** What people call a study: as the table does, else by its folder. */
  #nameOf({ id, name }: Named): string {
    return this.#labels.keys.get(id) ?? name;
  }

  #checkPlanes(used: readonly Named[], planes: readonly Plane[]): void {
    const faults = used.flatMap((study) => {
      const found = planes.flatMap((plane) => _faultOf(study, plane) ?? []);
      return found.length === 0 ? [] : [`'${this.#nameOf(study)}' has ${found.join(" and ")}`];
    });
    if (faults.length === 0) return;
    throw new DataError(
      `Cannot evaluate ${faults.length} of the ${used.length} labelled studies in ` +
        `'${this.#options.data}': ${
          listed(faults, MAX_NAMED)
        }: choose series with --series, or leave ` +
        "these studies out of the table",
    );
  }
}

/** Why a study has no exam of a plane. */
function _faultOf({ choices, exams }: Study, plane: Plane): string | undefined {
  if (exams[plane] !== undefined) return undefined;
  const choice = choices.find((each) => each.plane === plane);
  if (choice === undefined) return `no ${plane} series`;
  const all = choice.candidates.map(({ facts }) => facts);
  const texts = all.map((facts) => `'${plane}=${choiceOf(facts, all)}'`);
  return `several ${plane} series that could be meant (${listed(texts)})`;
}
