/**
 * Made-up knee exams with known injuries, for trying, testing and measuring the toolkit without
 * MRNet's data. They resemble knees; they are no substitute for them, and nothing learnt from them is
 * fit for diagnosis.
 *
 * - {@linkcode writePhantomDataset} writes a dataset in MRNet's layout.
 * - {@linkcode renderPhantom} renders one exam in all three planes.
 *
 * @module
 */
export type { Anatomy } from "./anatomy.ts";
export { writePhantomDataset } from "./verbs.ts";
export type { PhantomDatasetOptions, PhantomDatasetSummary } from "./dataset.ts";
export type { AclTear, BoneName, Findings, Injuries } from "./injuries.ts";
export type { MarrowOedema, MeniscalTear, Swelling } from "./injuries.ts";
export { MRNET_PREVALENCE, type Prevalence } from "./labels.ts";
export { renderPhantom } from "./render.ts";
export type { PhantomExam, PhantomOptions, PhantomSeries } from "./render.ts";
export type { SeriesGeometry } from "./series.ts";
export type { Knot } from "./shapes.ts";
