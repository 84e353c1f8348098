/**
 * What is odd about a series: why an exam made of it may not be what a model was trained on.
 *
 * @module
 */
import type { Series } from "./series.ts";

/** Slices of MRNet's series. */
const MRNET_SLICES = [17, 61] as const;
/** From here on the plane that a series is in is not clear, in degrees. */
const TILTED = 25;
/** A step that is so many times the usual one lacks a slice. */
const GAP = 1.5;

/**
 * Says what is odd, a sentence each; none if nothing is.
 */
export function seriesRemarks(series: Series): string[] {
  const { slices, plane, tilt, steps, copies, ambiguous, distance } = series;
  const [{ instance }] = slices;
  const remarks: string[] = [];
  if (plane === undefined) {
    remarks.push("its files do not say where their slices lie: plane and order are not known");
  } else if (tilt > TILTED) {
    remarks.push(`it is tilted ${Math.round(tilt)}° out of the ${plane} plane`);
  }
  if (ambiguous) remarks.push("several slices lie at the same place and nothing tells them apart");
  const gaps = steps.filter((step) => distance !== undefined && step > GAP * distance).length;
  if (gaps > 0 && !ambiguous) {
    remarks.push(`slices are missing at ${gaps} place${gaps === 1 ? "" : "s"}`);
  }
  const [least, most] = MRNET_SLICES;
  if (slices.length < least || slices.length > most) {
    remarks.push(`it has ${slices.length} slices, MRNet's series have ${least} to ${most}`);
  }
  if (copies > 0) remarks.push(`${copies} slices were there twice and count once`);
  if (/\bLOCALIZER\b/.test(instance.imageType)) remarks.push("it is a localizer");
  if (instance.burnedIn) remarks.push("text is burned into its pictures");
  if (instance.laterality === "") remarks.push("its files do not say which knee it is");
  if (instance.layout.syntax.lossy) remarks.push("its pixels were compressed with loss");
  if (instance.modality !== "MR") {
    remarks.push(`it is ${instance.modality || "of no modality"}, not MR`);
  }
  return remarks;
}
