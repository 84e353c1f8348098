/** What a script needs of files from a scanner. */
export { type Inspection, type InspectOptions, inspectPaths } from "./inspect.ts";
export type { GivenFile, InspectedSeries, SeriesFacts, SkippedFile } from "./inspect.ts";
export { importExams, type ImportOptions, type ImportReport, type ImportResult } from "./import.ts";
export type { ChooseOptions, ImportedRow, OpenChoice, SeriesChoice } from "./import.ts";
