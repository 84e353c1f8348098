/**
 * Makes a dataset in MRNet's layout from the files of scanners.
 */
import { examFile } from "../data/labels.ts";
import { checkLandmarks, type Landmarks, mapToLandmarks } from "../data/landmarks.ts";
import { encodeNpy } from "../data/npy.ts";
import { DataError, messageOf } from "../errors.ts";
import { folderOf, isMissing, join, makeFolder, writeWhole } from "../files.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { type Plane, PLANES, type Split } from "../terms.ts";
import { type ChooseOptions, choosePlanes, type PlaneChoice } from "./choose.ts";
import { type ExamGeometry, geometryOf } from "./exam_geometry.ts";
import { FrameDecoder } from "./dicom/decoder.ts";
import { type ImportedRow, PERCENTILES, readExamTable, writeExamTable } from "./exam_table.ts";
import { type GivenFile, ImagingFiles } from "./files.ts";
import {
  commonFolders,
  findSeries,
  type FoundSeries,
  type SeriesFacts,
  type SkippedFile,
} from "./found.ts";
import { readLabelTable, writeLabels } from "./label_table.ts";
import { hashNames, labelsOfStudies, type NamedStudy, StudyNames } from "./study_names.ts";
import { examOfSeries } from "./volume.ts";

export type { ChooseOptions, ExamGeometry, ImportedRow };
export type { SeriesChoice } from "./choose.ts";

/** What is imported, and where to. */
export interface ImportOptions extends ChooseOptions {
  /** Files, folders with all below them, zip archives. */
  paths: readonly (string | GivenFile)[];
  /** The folder of the dataset; it is made. */
  out: string;
  /**
   * The split that the exams become part of.
   * @default "valid"
   */
  split?: Split;
  /**
   * A table of labels, `id,abnormal,acl,meniscus`. An exam goes by its name in the dataset, by its
   * study's identifier, or by a folder it lies in. It is taken before what a data set says itself, as
   * KneeMRI does.
   */
  labels?: string;
  /**
   * The landmarks that grey values of each plane are mapped to: those of the model that is to read the
   * exams, see {@linkcode MRNet.landmarks}.
   * @default two percentiles of a series become 0 and 255, and what lies between is linear
   */
  landmarks?: Partial<Record<Plane, Landmarks>>;
  /** Called after each file whose header was read. */
  onFile?: (done: number, total: number) => void;
  /** Called after each exam of each plane. */
  onExam?: (report: ImportReport) => void;
  /** Ends the import after the exam at hand; the same again goes on there. */
  signal?: AbortSignal;
}

/** The options of {@linkcode importExams}. */
const OPTION_NAMES: OptionNames<ImportOptions> = {
  paths: true,
  out: true,
  split: true,
  labels: true,
  landmarks: true,
  series: true,
  plane: true,
  anyTilt: true,
  onFile: true,
  onExam: true,
  signal: true,
};

/** An exam that was imported now or before, or could not be made. */
export interface ImportReport {
  /** How many exams were dealt with, this one included. */
  done: number;
  /** How many there are. */
  total: number;
  /** The exam, unless it could not be made. */
  row?: ImportedRow;
  /** True if it was imported before. */
  known: boolean;
  /** What it was made of, for people: the file or folder, as it was given. */
  from: string;
  /** Why it could not be made. */
  failure?: string;
}

/** A plane of a study for which the user must choose. */
export interface OpenChoice {
  /** The plane. */
  plane: Plane;
  /** What the study lies in. */
  from: string;
  /** The series that could be meant. */
  candidates: SeriesFacts[];
}

/** What came of an import. */
export interface ImportResult {
  /** All exams of the dataset that were imported, now or before. */
  exams: ImportedRow[];
  /** Planes of studies of which nothing was imported, for several series could be meant. */
  open: OpenChoice[];
  /** Studies that lack a plane, which is then not there. */
  lacking: { id: string; planes: Plane[] }[];
  /** Exams that could not be made, a line each. */
  failures: string[];
  /** The label files that were written. */
  labelFiles: string[];
  /** What the table of labels calls exams that were not found. */
  unknownLabels: string[];
  /** Exams without any label, if there are labels. */
  unlabelled: string[];
  /** Files that should hold images and are of no use. */
  skipped: SkippedFile[];
  /** How many files hold no images. */
  others: number;
}

/** As in `verbs.ts`, where it is described. */
export async function importExams(options: ImportOptions): Promise<ImportResult> {
  checkOptionNames("import exams", options, OPTION_NAMES);
  const { out, split = "valid" } = options;
  for (const each of Object.values(options.landmarks ?? {})) checkLandmarks(each, "import exams");
  const labels = options.labels === undefined ? undefined : await readLabelTable(options.labels);
  const table = join(out, "exams.csv");
  const rows = await readExamTable(table);
  using files = await ImagingFiles.find(options.paths);
  const { series, skipped, others } = await findSeries(files, options.onFile);
  const names = new StudyNames(rows);
  const studies = [...Map.groupBy(series, ({ facts }) => facts.study).values()]
    .map((series) => ({ series, choices: choosePlanes(series, options) }))
    .filter(({ choices }) => choices.length > 0)
    .map((study) => ({ ...study, id: names.of(study.series[0]) }));
  await makeFolder(out);
  using decoder = new FrameDecoder();
  const result: ImportResult = {
    ...{ exams: rows, open: [], lacking: [], failures: [], labelFiles: [] },
    ...{ unknownLabels: [], unlabelled: [], skipped, others },
  };
  const plan: ImportPlan = { ...options, split, table, decoder, isTableBehind: false };
  await _importStudies(studies, plan, result);
  if (plan.isTableBehind) await writeExamTable(table, rows);
  const { given, unknown } = labelsOfStudies(studies, labels);
  if (labels === undefined && given.size === 0) return result;
  const imported = new Set(rows.filter((row) => row.split === split).map(({ id }) => id));
  const there = new Map([...given].filter(([id]) => imported.has(id)));
  return {
    ...result,
    unknownLabels: unknown,
    unlabelled: [...imported].filter((id) => !given.has(id)),
    labelFiles: await writeLabels(there, { folder: out, split }),
  };
}

/** A study, and which of its series are imported. */
interface Study extends NamedStudy {
  choices: readonly PlaneChoice[];
}

/** The options of an import with everything that follows from them. */
interface ImportPlan extends ImportOptions {
  split: Split;
  table: string;
  decoder: FrameDecoder;
  /** Whether rows know more by now than the table. */
  isTableBehind: boolean;
}

/** Imports one exam after the other, and puts into the result what came of it. */
async function _importStudies(
  studies: readonly Study[],
  options: ImportPlan,
  result: ImportResult,
): Promise<void> {
  const total = studies.flatMap(({ choices }) => choices)
    .filter(({ series }) => series !== undefined).length;
  let done = 0;
  for (const { id, series, choices } of studies) {
    const from = commonFolders(series)[0] ?? series[0].facts.series;
    for (const { plane, series: chosen, candidates } of choices) {
      if (options.signal?.aborted) return;
      if (chosen === undefined) {
        result.open.push({ plane, from, candidates: candidates.map(({ facts }) => facts) });
        continue;
      }
      const report = { total, from, done: ++done };
      try {
        const { row, known } = await _importExam(chosen, { id, plane }, options, result.exams);
        options.onExam?.({ ...report, row, known });
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        const failure = messageOf(error);
        result.failures.push(failure);
        options.onExam?.({ ...report, known: false, failure });
      }
    }
    const lacking = PLANES.filter((plane) => !choices.some((choice) => choice.plane === plane));
    if (lacking.length > 0) result.lacking.push({ id, planes: lacking });
  }
}

/** Writes one exam and its row, unless both are there. */
async function _importExam(
  series: FoundSeries,
  { id, plane }: Pick<ImportedRow, "id" | "plane">,
  plan: ImportPlan,
  rows: ImportedRow[],
): Promise<{ row: ImportedRow; known: boolean }> {
  const { out, split, table, decoder, landmarks: scales } = plan;
  const { study, series: uid, part } = series.facts;
  const landmarks = scales?.[plane];
  const greyValues = landmarks === undefined
    ? PERCENTILES
    : `landmarks ${hashNames(JSON.stringify(landmarks)).slice(0, 8)}`;
  const source = hashNames(study, uid, part);
  const row = _rowOf(series, { id, plane, split, source, greyValues });
  const other = rows.find((each) =>
    each.split !== split && (each.study === row.study || series.related?.has(each.id))
  );
  if (other !== undefined) {
    const found = other.study === row.study ? "its study" : `'${other.id}' of the same patient`;
    throw new DataError(
      `Cannot import exam '${id}' into the split '${split}': ${found} is in '${other.split}' ` +
        "already, and no patient may be in both: leave it out",
    );
  }
  const path = examFile(out, split, plane, id);
  const known = rows.find((each) =>
    _isSame(each, row) && each.source === source && each.greyValues === greyValues
  );
  if (known !== undefined && !await isMissing(path)) {
    // Of an earlier version, which did not write it down.
    if (known.geometry === undefined && row.geometry !== undefined && known.slices === row.slices) {
      known.geometry = row.geometry;
      plan.isTableBehind = true;
    }
    return { row: known, known: true };
  }
  const { data, shape } = await examOfSeries(series, decoder, { plane });
  const voxels = landmarks === undefined
    ? data
    : mapToLandmarks(data, landmarks, `map series '${uid}' to a model's landmarks`);
  await makeFolder(folderOf(path));
  await writeWhole(path, encodeNpy(voxels, shape));
  rows.splice(0, rows.length, ...rows.filter((each) => !_isSame(each, row)), row);
  await writeExamTable(table, rows);
  plan.isTableBehind = false;
  return { row, known: false };
}

function _rowOf(
  series: FoundSeries,
  about: Pick<ImportedRow, "id" | "plane" | "split" | "source" | "greyValues">,
): ImportedRow {
  const { slices, side, echoTime, repetitionTime, sequence, scanner, study, remarks } =
    series.facts;
  const geometry = geometryOf(series, about.plane);
  const times = [
    sequence,
    repetitionTime === undefined ? "" : `TR ${repetitionTime}`,
    echoTime === undefined ? "" : `TE ${echoTime}`,
  ];
  return {
    ...{ ...about, slices, side, scanner, study: hashNames(study), remarks },
    sequence: times.filter((each) => each !== "").join(" "),
    ...geometry !== undefined && { geometry },
  };
}

function _isSame(a: ImportedRow, b: ImportedRow): boolean {
  return a.id === b.id && a.plane === b.plane;
}
