/** What is known of a series before its pixels are read. */
import type { Plane } from "../terms.ts";
import type { ParsedHeader } from "./dicom/dataset.ts";
import type { FrameDecoder } from "./dicom/decoder.ts";
import type { Vector } from "./geometry.ts";
import type { GreySlice } from "./grey_values.ts";
import type { ExamLabels } from "./label_table.ts";

/** What is known of a series. Lengths are in millimetres, times in milliseconds. */
export interface SeriesFacts {
  /** The study's unique identifier; of other files their folder and name, without the plane's. */
  study: string;
  /** The series' unique identifier; of other files their name. */
  series: string;
  /** What tells it from other exams of the same series; empty if nothing. */
  part: string;
  /** What the scanner's operator called it. */
  description: string;
  /** `undefined` if the files do not say where their slices lie. */
  plane?: Plane;
  /** How far it is tilted out of the plane, in degrees. */
  tilt: number;
  /** How many slices there are. */
  slices: number;
  /** Pixels down a slice. */
  rows: number;
  /** Pixels across a slice. */
  columns: number;
  /** Distance of rows and of columns. */
  spacing?: readonly [number, number];
  /** The usual distance of slices. */
  sliceDistance?: number;
  /** `R`, `L`, `B` or `U`; empty if nothing is said. */
  side: string;
  /** The echo time. */
  echoTime?: number;
  /** The repetition time. */
  repetitionTime?: number;
  /** The kind of sequence, as in `SE`, and its options, as in `FS`; empty if nothing is said. */
  sequence: string;
  /** Maker, model and field strength of the scanner; empty if nothing is said. */
  scanner: string;
  /** How its pixels are stored. */
  syntax: string;
  /** What is odd about it, a sentence each. */
  remarks: string[];
}

/** An image that a slice is, as other objects refer to it. */
export interface ImageReference {
  /** What kind of object it is (SOP Class UID); empty if it does not say. */
  readonly sopClass: string;
  /** SOP Instance UID. */
  readonly instance: string;
  /** Which of its frames, counted from 1, if it has several. */
  readonly frame?: number;
}

/** A series of DICOM files, for what refers to it and takes over whom it is of. */
export interface DicomSeries {
  /** Its slices, in the order of the series. */
  readonly images: readonly ImageReference[];
  /**
   * The elements of its first slice's file, up to the pixels.
   *
   * @throws {DataError} if the file cannot be read any more
   */
  header(): Promise<ParsedHeader>;
}

/** A series that was found. */
export interface FoundSeries {
  readonly facts: SeriesFacts;
  /** The name that its files give the exam; none if they have no name of their own. */
  readonly name?: string;
  /** The folders that its first file lies in, the innermost first, and the archive. */
  readonly folders: readonly string[];
  /** The directions in which columns and rows run, if known. */
  readonly orientation?: readonly [Vector, Vector];
  /** Where the centre of each slice's first pixel lies, in the order of the series, if all are known. */
  readonly positions?: readonly Vector[];
  /**
   * What its positions are measured from, such as DICOM's Frame of Reference UID. Those of two series of a
   * study can be compared if it is the same.
   */
  readonly frameOfReference?: string;
  /** True if it only shows where the others lie. */
  readonly isLocalizer: boolean;
  /** Why no exam can be made of it, whatever is asked for. */
  readonly useless?: string;
  /** How many files it has. */
  readonly files: number;
  /** What its files are, if they are DICOM. */
  readonly dicom?: DicomSeries;
  /** What its data set says of the exam, if it says anything. */
  readonly labels?: ExamLabels;
  /** The names of other exams of the same patient, if its data set says so. */
  readonly related?: ReadonlySet<string>;
  /**
   * Reads its slices, in the order of the series.
   *
   * @param onFile called after each file, and awaited
   * @throws {DataError} if pixels are damaged or cut off, or there are more than allowed
   * @throws what `onFile` throws
   */
  read(decoder: FrameDecoder, onFile?: () => void | Promise<void>): Promise<GreySlice[]>;
}
