/** What a script needs of files from a scanner. */
export * from "./verbs.ts";
export type { Inspection, InspectOptions } from "./inspect.ts";
export type { GivenFile, InspectedSeries, SeriesFacts, SkippedFile } from "./inspect.ts";
export type { ImportOptions, ImportReport, ImportResult } from "./import.ts";
export type { ChooseOptions, ImportedRow, OpenChoice, SeriesChoice } from "./import.ts";
export type { ExamGeometry } from "./import.ts";
