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
export {
  type PhantomDatasetOptions,
  type PhantomDatasetSummary,
  writePhantomDataset,
} from "./dataset.ts";
export type {
  AclTear,
  BoneName,
  Findings,
  Injuries,
  MarrowOedema,
  MeniscalTear,
  Swelling,
} from "./injuries.ts";
export { MRNET_PREVALENCE, type Prevalence } from "./labels.ts";
export {
  type PhantomExam,
  type PhantomOptions,
  type PhantomSeries,
  renderPhantom,
} from "./render.ts";
export type { SeriesGeometry } from "./series.ts";
export type { Knot } from "./shapes.ts";
