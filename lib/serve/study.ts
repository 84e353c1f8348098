/** The exams in a study that was sent: its series, by plane, as `predict` finds them. */
import { DataError, messageOf, OptionError } from "../errors.ts";
import { MRNET_SIDE } from "../data/exam.ts";
import { choiceOf, parseSeriesChoice, type PlaneChoice } from "../imaging/choose.ts";
import { type ExamGeometry, geometryOf } from "../imaging/exam_geometry.ts";
import type { GivenFile } from "../imaging/files.ts";
import type { SeriesFacts } from "../imaging/found.ts";
import { Studies, type Study } from "../imaging/studies.ts";
import { listed } from "../quoted.ts";
import type { Plane } from "../terms.ts";
import type { Deadline } from "./deadline.ts";
import { checkExamLimits, type SentExams } from "./exams.ts";
import { eventLoop } from "./loop.ts";
import type { ServeLimits } from "./options.ts";
import { Problem } from "./problem.ts";
import type { Candidate, StudySeries } from "./schemas.ts";

/** What is wanted of a study. */
export interface StudyQuestion {
  /** Only series of these planes are read. */
  planes: readonly Plane[];
  /** Which series are meant: `PLANE=TEXT` or `TEXT`. */
  series?: readonly string[];
  /** The plane of series whose files do not say where their slices lie. */
  plane?: Plane;
}

/** The exams of a study. */
export type StudyExams = Required<Exclude<SentExams, { alone: unknown }>>;

/** How many series are named in a text, and told to programs. */
const MAX_NAMED = 5;
const MAX_CANDIDATES = 50;
/** How many files that could not be read are named. */
const MAX_SKIPPED = 20;

/**
 * Reads the exams of a study, file by file, with time for others in between.
 *
 * @throws {Problem} 400 if a choice is none; 422 if no exam can be made of the files, they are of several
 *   studies, several series fit a plane, or there is more than allowed
 * @throws the signal's reason if that fires
 */
export async function readStudy(
  files: readonly GivenFile[],
  question: StudyQuestion,
  { limits, signal }: { limits: ServeLimits } & Pick<Deadline, "signal">,
): Promise<StudyExams> {
  const between = async () => {
    await eventLoop.free();
    signal.throwIfAborted();
  };
  try {
    using studies = await Studies.open(files, {
      ...{ limits, signal, between, isOnePatient: true },
      series: question.series?.map(parseSeriesChoice),
      plane: question.plane,
    });
    const study = _onlyStudy(studies);
    const choices = study.choices.filter(({ plane }) => question.planes.includes(plane));
    if (choices.length === 0) throw _nothing(studies, question.planes);
    _checkChosen(choices);
    const planes: StudyExams["planes"] = new Map();
    const series = new Map<Plane, StudySeries>();
    const geometries = new Map<Plane, ExamGeometry>();
    for (const { plane, series: chosen } of choices) {
      const { facts } = chosen!;
      const geometry = geometryOf(chosen!, plane);
      if (geometry !== undefined) geometries.set(plane, geometry);
      const size = { slices: facts.slices, height: MRNET_SIDE, width: MRNET_SIDE };
      checkExamLimits(size, facts.description || facts.series, limits);
      planes.set(plane, await study.exams[plane]!.read());
      series.set(plane, _seriesOf(facts));
      await between();
    }
    const skipped = studies.skipped.slice(0, MAX_SKIPPED).map(({ reason }) => reason);
    return { planes, series, geometries, skipped };
  } catch (error) {
    // An end that came while a frame was decoded is none of the frame's faults.
    signal.throwIfAborted();
    if (error instanceof OptionError) throw new Problem(400, messageOf(error));
    if (error instanceof DataError) throw new Problem(422, messageOf(error));
    throw error;
  }
}

function _onlyStudy(studies: Studies): Study {
  const [study, ...others] = studies.studies;
  if (study === undefined) throw _nothing(studies, []);
  if (others.length === 0) return study;
  throw new Problem(
    422,
    `The files are of ${studies.studies.length} studies: send those of one patient's study`,
  );
}

/** Says that there is nothing to read, and why, as far as that is known. */
function _nothing({ skipped }: Studies, planes: readonly Plane[]): Problem {
  const wanted = planes.length === 0 ? "" : `${planes.join(" or ")} `;
  const why = skipped.length === 0 ? "" : `: ${skipped[0].reason}`;
  const more = skipped.length > 1 ? `, and ${skipped.length - 1} more files are not read` : "";
  return new Problem(
    422,
    `There is no ${wanted}series that an exam can be made of${why}${more}`,
  );
}

/** Refuses to guess. */
function _checkChosen(choices: readonly PlaneChoice[]): void {
  const open = choices.filter(({ series }) => series === undefined);
  if (open.length === 0) return;
  const candidates = open.flatMap(({ plane, candidates }) => {
    const all = candidates.map(({ facts }) => facts);
    return all.map((facts): Candidate => ({
      ...{ plane, ..._seriesOf(facts) },
      choice: `${plane}=${choiceOf(facts, all)}`,
    }));
  });
  const texts = open.map(({ plane }) => {
    const own = candidates.filter((each) => each.plane === plane);
    return `of the ${plane} plane ${listed(own.map(({ choice }) => `'${choice}'`), MAX_NAMED)}`;
  });
  throw new Problem(
    422,
    `Several series could be meant, ${
      texts.join("; ")
    }: choose by 'series', in the query or in the ` +
      "form",
    {},
    { candidates: candidates.slice(0, MAX_CANDIDATES) },
  );
}

function _seriesOf(facts: SeriesFacts): StudySeries {
  const { series, part, description, slices, rows, columns, side, sequence, remarks } = facts;
  return { series, part, description, slices, rows, columns, side, sequence, remarks };
}
