/**
 * Which series of a study becomes its exam of a plane. It is never guessed: if several could, the
 * user says which.
 */
import { OptionError } from "../errors.ts";
import { type Plane, PLANES } from "../terms.ts";
import type { FoundSeries, SeriesFacts } from "./found.ts";

/** Beyond this tilt a series is of no plane unless the user says so, in degrees. */
export const MAX_TILT = 40;

/** Which series is meant, as in `sagittal=*t2*fs*`. */
export interface SeriesChoice {
  /** Only for this plane; for all if it is left out. */
  plane?: Plane;
  /** A series' identifier, or its description, in which `*` stands for anything. */
  text: string;
}

/** How series are chosen. */
export interface ChooseOptions {
  /** The series that are meant if several could be. */
  series?: readonly SeriesChoice[];
  /** The plane of series whose files do not say where their slices lie. */
  plane?: Plane;
  /** Take series that are tilted more than {@linkcode MAX_TILT} too. */
  anyTilt?: boolean;
}

/** What became of a plane of a study. */
export interface PlaneChoice {
  readonly plane: Plane;
  /** The series that was chosen, if one was. */
  readonly series?: FoundSeries;
  /** Those that could be, if several could. */
  readonly candidates: readonly FoundSeries[];
}

/**
 * Reads a choice as the command line has it: `PLANE=TEXT` or `TEXT`.
 *
 * @throws {OptionError} if there is no text
 */
export function parseSeriesChoice(given: string): SeriesChoice {
  const [, word, text] = /^(?:(sagittal|coronal|axial)=)?(.*)$/s.exec(given)!;
  if (text.trim() !== "") return word === undefined ? { text } : { plane: word as Plane, text };
  throw new OptionError(
    `Cannot choose a series by '${given}': give its identifier or description, as in ` +
      "'sagittal=*t2*fs*'",
  );
}

/** The planes of a study for which there is a series, and which one it is. */
export function choosePlanes(
  series: readonly FoundSeries[],
  options: ChooseOptions = {},
): PlaneChoice[] {
  return PLANES.flatMap((plane): PlaneChoice[] => {
    const usable = series.filter((each) => _isUsable(each, plane, options));
    const wishes = (options.series ?? []).filter((wish) => (wish.plane ?? plane) === plane);
    const wished = usable.filter((each) => wishes.some(({ text }) => _matches(each.facts, text)));
    if (usable.length === 0) return [];
    // If no series fits a choice, no other one is taken.
    const meant = wishes.length > 0 ? wished : usable;
    if (meant.length === 1) return [{ plane, series: meant[0], candidates: meant }];
    return [{ plane, candidates: meant.length > 0 ? meant : usable }];
  });
}

function _isUsable(
  { facts, useless, isLocalizer }: FoundSeries,
  plane: Plane,
  { plane: told, anyTilt = false }: ChooseOptions,
): boolean {
  if (useless !== undefined || (facts.plane ?? told) !== plane) return false;
  if (isLocalizer) return false;
  return anyTilt || facts.tilt <= MAX_TILT;
}

/**
 * A text that means one of several series and none of the others; its identifier if there is no such
 * text.
 */
export function choiceOf(wanted: SeriesFacts, all: readonly SeriesFacts[]): string {
  const texts = _namesOf(wanted).filter((text) => text !== "");
  const others = all.filter((each) => each !== wanted);
  return texts.find((text) => !others.some((each) => _matches(each, text))) ?? wanted.series;
}

/** Whether a choice means a series. */
function _matches(facts: SeriesFacts, text: string): boolean {
  return _namesOf(facts).some((name) => _fits(name.toLowerCase(), text.toLowerCase()));
}

/**
 * What a choice may call a series: its description, its identifier, or one of them with what tells it
 * from other exams of the same series.
 */
function _namesOf({ series, part, description }: SeriesFacts): string[] {
  return [description, series, `${description}, ${part}`, `${series}, ${part}`];
}

/** Whether a name is a text in which `*` stands for anything; a regular expression may take for ever. */
function _fits(name: string, text: string): boolean {
  const [first, ...pieces] = text.split("*");
  const last = pieces.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || !name.slice(first.length).endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
