/**
 * Series as exams: which slices belong together, in which order, and in which plane.
 *
 * The rules are those that pydicom's users and dcm2niix arrived at. A scanner may keep several echoes,
 * or images made from them, in one series; instance numbers and file names follow no rule, positions
 * do.
 */
import type { Plane } from "../terms.ts";
import type { FrameHeader, InstanceHeader } from "./dicom/header.ts";
import { alongThrough, orientationOf, unit, type Vector } from "./geometry.ts";

/** A slice: one frame of a file. */
export interface Slice {
  readonly instance: InstanceHeader;
  readonly frame: FrameHeader;
}

/** Slices that make one exam, in MRNet's order. */
export interface Series {
  /** The series' unique identifier, as the files have it. */
  readonly uid: string;
  /** What tells it from other exams of the same series, as in `echo time 6.312`; empty if nothing. */
  readonly part: string;
  /** `undefined` if the files do not say where their slices lie. */
  readonly plane: Plane | undefined;
  /** How far the slices are tilted out of the plane, in degrees. */
  readonly tilt: number;
  readonly slices: readonly Slice[];
  /** The distances from each slice to the next, in millimetres; empty without geometry. */
  readonly steps: readonly number[];
  /** The usual one of them, their median; none without two slices whose positions are known. */
  readonly distance?: number;
  /** How many copies of slices were left out: the same instance in several files. */
  readonly copies: number;
  /** How many slices have the identifier of another one that is no copy of them; each of them counts. */
  readonly clashes: number;
  /** True if several slices lie at the same position and nothing in the files tells them apart. */
  readonly ambiguous: boolean;
}

/** Where the centres of their first pixels lie, slice by slice; nothing if one does not say it. */
export function positionsOf({ plane, slices }: Series): Vector[] | undefined {
  if (plane === undefined) return undefined;
  const positions = slices.map(({ frame }) => frame.position);
  return positions.every((each) => each !== undefined) ? positions : undefined;
}

/** What all positions are measured from; nothing if a slice does not say it, or another thing. */
export function frameOfReferenceOf({ slices }: Series): string | undefined {
  const [{ instance: { frameOfReference } }] = slices;
  const isOne = slices.every(({ instance }) => instance.frameOfReference === frameOfReference);
  return isOne && frameOfReference !== "" ? frameOfReference : undefined;
}

/** Positions that differ by less are the same, in millimetres. */
const SAME_POSITION_MM = 0.01;

/** What may tell slices at the same position apart, the likeliest first. */
const TELLS_APART: readonly (readonly [string, (slice: Slice) => string])[] = [
  ["echo time", ({ frame }) => `${frame.echoTime} ms`],
  ["frame type", ({ frame }) => frame.frameType],
  ["temporal index", ({ frame }) => frame.temporalIndex],
  ["acquisition", ({ frame }) => frame.acquisition],
  ["stack", ({ frame }) => frame.stack],
];

/** Sorts the frames of any number of files into exams; those of one series follow each other. */
export function sortIntoSeries(headers: readonly InstanceHeader[]): Series[] {
  const groups = Map.groupBy(_withoutCopies(headers), ({ slice }) => _groupKey(slice));
  return [...groups.values()].flatMap((group) => {
    const copies = group.reduce((sum, each) => sum + each.copies, 0);
    return _splitByPosition(group.map(({ slice }) => slice)).map(([part, slices, ambiguous]) =>
      _inOrder(part, slices, { copies, ambiguous })
    );
  });
}

/** Each frame of each instance once, with the number of its further copies. */
function _withoutCopies(headers: readonly InstanceHeader[]): { slice: Slice; copies: number }[] {
  const seen = new Map<string, { slice: Slice; copies: number }>();
  for (const instance of headers) {
    for (const frame of instance.frames) {
      // A file without an identifier is nobody's copy.
      const key = `${instance.instance || instance.file}|${frame.index}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, { slice: { instance, frame }, copies: 0 });
      else first.copies++;
    }
  }
  return [...seen.values()];
}

/** What the slices of an exam have in common: series, direction to a hundredth, matrix, spacing. */
function _groupKey({ instance, frame }: Slice): string {
  const { rows, columns } = instance.layout;
  const direction = _hasGeometry(frame)
    ? frame.orientation.flatMap((each) => unit(each)?.map((x) => Math.round(x * 100) || 0) ?? [])
    : ["none"];
  const spacing = frame.spacing?.map((each) => each.toFixed(3)) ?? ["none"];
  return [instance.study, instance.series, rows, columns, ...direction, ...spacing].join("|");
}

/** A frame that says where it lies. */
type Positioned = FrameHeader & Required<Pick<FrameHeader, "orientation" | "position">>;

function _hasGeometry(frame: FrameHeader): frame is Positioned {
  const { orientation, position } = frame;
  return orientation !== undefined && position !== undefined &&
    orientationOf(...orientation) !== undefined;
}

/** Divides a group so that no two slices of a subset share a position. */
function _splitByPosition(group: Slice[]): [part: string, slices: Slice[], ambiguous: boolean][] {
  if (!_positionsRepeat(group)) return [["", group, false]];
  const all = (slice: Slice) => TELLS_APART.map(([, value]) => value(slice)).join(", ");
  for (const [name, value] of [...TELLS_APART, ["kind", all] as const]) {
    const subsets = Map.groupBy(group, value);
    if (subsets.size > 1 && [...subsets.values()].every((subset) => !_positionsRepeat(subset))) {
      return [...subsets].map(([is, subset]) => [`${name} ${is}`, subset, false]);
    }
  }
  return [["", group, true]];
}

function _positionsRepeat(slices: readonly Slice[]): boolean {
  const positions = _positions(slices)?.toSorted((a, b) => a - b) ?? [];
  return positions.some((position, i) => i > 0 && position - positions[i - 1] < SAME_POSITION_MM);
}

/** How far each slice is along the normal that they share, in MRNet's direction. */
function _positions(slices: readonly Slice[]): number[] | undefined {
  const [{ frame: first }] = slices;
  if (!_hasGeometry(first)) return undefined;
  const orientation = orientationOf(...first.orientation);
  if (orientation === undefined) return undefined;
  const along = alongThrough(orientation.normal, orientation.plane);
  return slices.map(({ frame }) => frame.position === undefined ? 0 : along(frame.position));
}

function _inOrder(
  part: string,
  slices: Slice[],
  counted: Pick<Series, "copies" | "ambiguous">,
): Series {
  const [{ instance: { series: uid }, frame }] = slices;
  const clashes = slices.filter(({ instance }) => instance.sharesIdentifier).length;
  const found = { ...counted, clashes };
  const orientation = _hasGeometry(frame) ? orientationOf(...frame.orientation) : undefined;
  const positions = _positions(slices);
  if (positions === undefined || orientation === undefined) {
    const ordered = slices.toSorted((a, b) =>
      a.instance.number - b.instance.number || a.frame.index - b.frame.index
    );
    return { uid, part, plane: undefined, tilt: 0, slices: ordered, steps: [], ...found };
  }
  const order = positions.map((_, index) => index).sort((a, b) => positions[a] - positions[b]);
  const sorted = order.map((index) => positions[index]);
  const steps = sorted.slice(1).map((position, index) => position - sorted[index]);
  return {
    ...{ uid, part, plane: orientation.plane, tilt: orientation.tilt },
    slices: order.map((index) => slices[index]),
    steps,
    distance: steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)],
    ...found,
  };
}
