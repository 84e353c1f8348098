/** What a script needs to examine a data set. */
export { type DataReport, type DoctorOptions, examineDataset } from "./doctor.ts";
export type { DataProblem, ExamCount, LabelCount, MiddleSlice } from "./doctor.ts";
export type { CommonFacts, Oddity } from "../data/tally.ts";
