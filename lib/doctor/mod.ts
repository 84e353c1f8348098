/** What a script needs to examine a data set. */
export * from "./verbs.ts";
export type { DataReport, DoctorOptions } from "./doctor.ts";
export type { DataProblem, ExamCount, LabelCount, MiddleSlice } from "./doctor.ts";
export type { CommonFacts, Oddity } from "../data/tally.ts";
