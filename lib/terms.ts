/** The words that the whole toolkit shares: which finding, in which plane, of which split. */

/** The three findings of MRNet; a model predicts one of them. */
export const TASKS = ["abnormal", "acl", "meniscus"] as const;
/** A finding: any abnormality, a tear of the anterior cruciate ligament, or a meniscal tear. */
export type Task = (typeof TASKS)[number];

/** The three planes in which an exam was acquired; a model reads one of them. */
export const PLANES = ["axial", "coronal", "sagittal"] as const;
/** The plane of a series. */
export type Plane = (typeof PLANES)[number];

/** The two splits of MRNet that have labels. */
export const SPLITS = ["train", "valid"] as const;
/** A split of the dataset: exams to train on, or exams to evaluate a model on. */
export type Split = (typeof SPLITS)[number];

/** 1 where the finding is present, 0 where it is not. */
export type Label = 0 | 1;
