/**
 * What is odd about a series: why an exam made of it may differ from those that a model was trained on.
 */
import { MRNET_SLICES } from "../data/exam.ts";
import type { Plane } from "../terms.ts";
import type { Orientation } from "./geometry.ts";
import type { Series } from "./series.ts";
import { contrastRemark } from "./contrast.ts";

/** From here on the plane that a series is in is not clear, in degrees. */
const TILTED = 25;
/** A step that is so many times the usual one lacks a slice. */
const GAP = 1.5;

/**
 * Says what is odd, a sentence each; none if nothing is.
 */
export function seriesRemarks(series: Series): string[] {
  const { slices, plane, steps, copies, clashes, ambiguous, distance } = series;
  const [{ instance }] = slices;
  const remarks = [tiltRemark(plane === undefined ? undefined : { ...series, plane })];
  if (ambiguous) {
    remarks.push("several slices lie at the same position and nothing tells them apart");
  }
  const gaps = steps.filter((step) => distance !== undefined && step > GAP * distance).length;
  if (gaps > 0 && !ambiguous) {
    remarks.push(`slices are missing at ${gaps} position${gaps === 1 ? "" : "s"}`);
  }
  remarks.push(sliceCountRemark(slices.length));
  if (copies > 0) {
    remarks.push(`${copies} slice${copies === 1 ? " was" : "s were"} there twice and count once`);
  }
  if (clashes > 0) {
    remarks.push(
      `${clashes} slice${clashes === 1 ? " has" : "s have"} an identifier that another file with ` +
        "other content has: each counts",
    );
  }
  if (/\bLOCALIZER\b/.test(instance.imageType)) remarks.push("it is a localizer");
  if (instance.burnedIn) remarks.push("text is burned into its images");
  remarks.push(_sideRemark(series));
  if (instance.layout.syntax.lossy) remarks.push("its pixels were compressed with loss");
  if (instance.modality !== "MR") {
    remarks.push(`it is ${instance.modality || "of no modality"}, not MR`);
  }
  remarks.push(contrastRemark(series));
  return remarks.filter((each) => each !== undefined);
}

/** Says if a plane is not known, or slices are tilted far out of it. */
export function tiltRemark(
  lies: Pick<Orientation, "tilt"> & { plane: Plane } | undefined,
): string | undefined {
  if (lies === undefined) {
    return "its files do not say where their slices lie: plane and order are not known";
  }
  const { tilt, plane } = lies;
  return tilt > TILTED ? `it is tilted ${Math.round(tilt)}° out of the ${plane} plane` : undefined;
}

/** Says if there are fewer or more slices than MRNet's series have. */
export function sliceCountRemark(slices: number): string | undefined {
  const [least, most] = MRNET_SLICES;
  if (slices >= least && slices <= most) return undefined;
  return `it has ${slices} slice${
    slices === 1 ? "" : "s"
  }, MRNet's series have ${least} to ${most}`;
}

/** Says if it is not clear which knee it is of. */
function _sideRemark({ slices }: Series): string | undefined {
  const said = new Set(slices.map(({ instance }) => instance.laterality));
  const { description } = slices[0].instance;
  const named = [..."RL"].filter((side) =>
    (side === "R" ? /\b(right|rt|re)\b/i : /\b(left|lt|li)\b/i).test(description)
  );
  if (named.length === 1) said.add(named[0]);
  const sides = [...said].filter((side) => side !== "");
  if (sides.length > 1) return `its files name both knees: ${sides.sort().join(", ")}`;
  return sides.length === 0 ? "its files do not say which knee it is" : undefined;
}
