/**
 * What the header of a DICOM file says of its frames: where each lies, how its values are stored and
 * what they mean. Enhanced MR keeps most of it in functional groups, one set shared by all frames and
 * one for each; an ordinary file has one frame and keeps it at the top.
 */
import type { Vector } from "../geometry.ts";
import { type DataSet, type ParsedHeader, PIXEL_DATA, refused } from "./dataset.ts";
import { TRANSFER_SYNTAXES, type TransferSyntax } from "./transfer_syntax.ts";

/** How the pixels of a file are stored. */
export interface PixelLayout {
  readonly syntax: TransferSyntax;
  /** Pixels down and across. */
  readonly rows: number;
  readonly columns: number;
  /** Values of a pixel; an exam has one. */
  readonly samples: number;
  /** Bits that a value takes in the file, 8 or 16 in what is read. */
  readonly bitsAllocated: number;
  /** Bits of them that belong to the value. */
  readonly bitsStored: number;
  readonly signed: boolean;
  /** `MONOCHROME2`, or `MONOCHROME1` if high values are dark. */
  readonly photometric: string;
  readonly frames: number;
}

/** Where the pixels of a file lie. */
export interface PixelLocation {
  /** From the beginning of the file; of a deflated one, of the inflated file. */
  readonly offset: number;
  /** How many bytes they have; unknown if they are encapsulated. */
  readonly length: number;
  /** True if they lie in fragments, as compressed ones do. */
  readonly isEncapsulated: boolean;
  /** From where on the file is deflated, if it is. */
  readonly deflatedFrom?: number;
}

/** What describes a whole file. */
export interface InstanceHeader {
  readonly file: string;
  readonly instance: string;
  /** What kind of object it is (SOP Class UID); empty if it does not say. */
  readonly sopClass: string;
  /** True if another file has the same identifier and other content, as `copies.ts` finds. */
  readonly sharesIdentifier?: true;
  readonly series: string;
  readonly study: string;
  /** What positions are measured from (Frame of Reference UID); empty if it does not say. */
  readonly frameOfReference: string;
  /** Whom the study is of; to tell patients apart, never to be written anywhere. */
  readonly patient: string;
  readonly modality: string;
  readonly description: string;
  readonly number: number;
  readonly layout: PixelLayout;
  readonly pixels: PixelLocation;
  /** The values at which padding begins and ends, if the file has padding. */
  readonly padding?: readonly [number, number];
  /** `R`, `L`, `B` or `U`, or empty if nothing is said. */
  readonly laterality: string;
  /** Maker, model and field strength, as in `Example Model 3 T`; empty if nothing is said. */
  readonly scanner: string;
  readonly bodyPart: string;
  readonly burnedIn: boolean;
  /** The image's type, as in `ORIGINAL\PRIMARY\M`. */
  readonly imageType: string;
  readonly frames: readonly FrameHeader[];
}

/** What describes a frame. Lengths are in millimetres, times in milliseconds. */
export interface FrameHeader {
  /** Of its file, counted from 0. */
  readonly index: number;
  /** The directions in which columns and rows run, if geometry is known. */
  readonly orientation?: readonly [Vector, Vector];
  /** Where the centre of the first pixel lies. */
  readonly position?: Vector;
  /** Distance of rows, distance of columns. */
  readonly spacing?: readonly [number, number];
  readonly thickness?: number;
  readonly slope: number;
  readonly intercept: number;
  readonly echoTime?: number;
  readonly repetitionTime?: number;
  readonly inversionTime?: number;
  /** What tells frames at the same position apart. */
  readonly frameType: string;
  readonly temporalIndex: string;
  readonly acquisition: string;
  readonly stack: string;
  /** As in `SE`, and what was suppressed or prepared, as in `FS`. */
  readonly sequence: string;
  readonly options: string;
}

/** What to do about pixels that are stored in a way that is not read. */
const CONVERT = "convert it, for example with gdcmconv --raw";

/** Longer texts are left out, in bytes; those that are wanted take at most 64 by the standard, or are few. */
const MAX_TEXT = 1024;
/** The longest name of a scanner, in characters. */
const MAX_SCANNER = 80;
/** A file may say that it has at most so many frames; an exam has some 20 to 60 slices. */
const MAX_FRAMES = 10_000;
/** The largest side of a slice that is read, in pixels. */
export const MAX_SIDE = 4096;

/**
 * Reads what the header says.
 *
 * @throws {DataError} if the file has no pixels, or pixels that no grey-value exam has
 */
export function readHeader({ data, deflatedFrom }: ParsedHeader, file: string): InstanceHeader {
  const layout = _layout(data, file);
  const pixels = data.elements[PIXEL_DATA];
  if (pixels === undefined) throw refused(file, "it holds no pixels", "leave it out");
  const imageType = _text(data, "x00080008");
  if (/\bMOSAIC\b/.test(imageType)) {
    throw refused(
      file,
      "it is a mosaic, many slices in one image",
      "convert it, for example with dcm2niix",
    );
  }
  const padding = _padding(data, layout.signed);
  return {
    file,
    instance: _text(data, "x00080018"),
    sopClass: _text(data, "x00080016") || _text(data, "x00020002"),
    series: _text(data, "x0020000e"),
    study: _text(data, "x0020000d"),
    frameOfReference: _text(data, "x00200052"),
    patient: _text(data, "x00100020"),
    modality: _text(data, "x00080060"),
    description: _text(data, "x0008103e"),
    number: _number(data, "x00200013") ?? 0,
    layout,
    pixels: {
      offset: pixels.dataOffset,
      length: pixels.length,
      isEncapsulated: pixels.hadUndefinedLength === true,
      deflatedFrom,
    },
    padding,
    laterality: _laterality(data),
    scanner: _scanner(data),
    bodyPart: _text(data, "x00180015"),
    burnedIn: _text(data, "x00280301") === "YES",
    imageType,
    frames: Array.from({ length: layout.frames }, (_, index) => _frame(data, index)),
  };
}

/** Neither a serial number nor a station's name, by which a scanner could be found. */
function _scanner(data: DataSet): string {
  const field = _numbers(_text(data, "x00180087"))?.[0];
  // Some write it in millitesla or gauss.
  const tesla = field !== undefined && field > 0 && field < 20
    ? `${Number(field.toFixed(1))} T`
    : "";
  const words = [_text(data, "x00080070"), _text(data, "x00081090"), tesla];
  return words.filter((word) => word !== "").join(" ").slice(0, MAX_SCANNER);
}

function _layout(data: DataSet, file: string): PixelLayout {
  const uid = _text(data, "x00020010");
  const syntax = TRANSFER_SYNTAXES.get(uid);
  if (syntax === undefined) {
    throw refused(file, `its transfer syntax ${uid || "(none)"} is not read`, CONVERT);
  }
  const [rows, columns] = [data.uint16("x00280010"), data.uint16("x00280011")];
  const bitsAllocated = data.uint16("x00280100");
  if (rows === undefined || columns === undefined || bitsAllocated === undefined) {
    throw refused(file, "it holds no pixels", "leave it out");
  }
  const samples = data.uint16("x00280002") ?? 1;
  const photometric = _text(data, "x00280004");
  if (samples !== 1 || !/^MONOCHROME[12]$/.test(photometric)) {
    throw refused(
      file,
      `its pixels are ${photometric || "of no known kind"}, not grey`,
      "leave it out",
    );
  }
  const bitsStored = data.uint16("x00280101") ?? bitsAllocated;
  if (![8, 16].includes(bitsAllocated) || bitsStored < 1 || bitsStored > bitsAllocated) {
    throw refused(file, `it stores ${bitsStored} of ${bitsAllocated} bits a pixel`, CONVERT);
  }
  const highBit = data.uint16("x00280102") ?? bitsStored - 1;
  if (highBit !== bitsStored - 1) {
    throw refused(file, `its ${bitsStored} bits a pixel end at bit ${highBit}`, CONVERT);
  }
  const frames = _number(data, "x00280008") ?? 1;
  if (!(Number.isInteger(frames) && frames >= 1 && frames <= MAX_FRAMES)) {
    throw refused(file, `it says that it has ${frames} frames`, "send the file again");
  }
  if (Math.min(rows, columns) < 1 || Math.max(rows, columns) > MAX_SIDE) {
    throw refused(
      file,
      `a slice is ${rows}×${columns}, at most ${MAX_SIDE} a side are read`,
      CONVERT,
    );
  }
  const signed = (data.uint16("x00280103") ?? 0) === 1;
  return { syntax, rows, columns, samples, bitsAllocated, bitsStored, signed, photometric, frames };
}

/** The range of padding: one value, or from it to a limit on either side of it. */
function _padding(data: DataSet, signed: boolean): readonly [number, number] | undefined {
  const read = (tag: string) => signed ? data.int16(tag) : data.uint16(tag);
  const value = read("x00280120");
  if (value === undefined) return undefined;
  const limit = read("x00280121") ?? value;
  return [Math.min(value, limit), Math.max(value, limit)];
}

/** Which knee: of the image, of the series, or of the frames' anatomy. */
function _laterality(data: DataSet): string {
  const shared = _item(data, "x52009229");
  const anatomy = _item(shared, "x00209071") ?? _item(_item(data, "x52009230"), "x00209071");
  return _text(data, "x00200062") || _text(data, "x00200060") || _text(anatomy, "x00209072");
}

function _frame(data: DataSet, index: number): FrameHeader {
  const own = _item(data, "x52009230", index);
  const shared = _item(data, "x52009229");
  /** A text of a functional group, of the frame or shared by all, or of the top. */
  const text = (group: string, tag: string, top = tag): string =>
    _text(_item(own, group), tag) || _text(_item(shared, group), tag) || _text(data, top);
  const numbers = (group: string, tag: string): number[] | undefined => _numbers(text(group, tag));
  const double = (group: string, tag: string): number | undefined =>
    _item(own, group)?.double(tag) ?? _item(shared, group)?.double(tag);
  const orientation = numbers("x00209116", "x00200037");
  const position = numbers("x00209113", "x00200032");
  const spacing = numbers("x00289110", "x00280030");
  const temporal = _item(own, "x00209111");
  return {
    index,
    orientation: orientation?.length === 6
      ? [_vector(orientation), _vector(orientation.slice(3))]
      : undefined,
    position: position?.length === 3 ? _vector(position) : undefined,
    spacing: spacing?.length === 2 && spacing[0] > 0 && spacing[1] > 0
      ? [spacing[0], spacing[1]]
      : undefined,
    thickness: numbers("x00289110", "x00180050")?.[0],
    slope: numbers("x00289145", "x00281053")?.[0] ?? 1,
    intercept: numbers("x00289145", "x00281052")?.[0] ?? 0,
    echoTime: double("x00189114", "x00189082") ?? _numbers(_text(data, "x00180081"))?.[0],
    repetitionTime: numbers("x00189112", "x00180080")?.[0],
    inversionTime: double("x00189115", "x00189079") ?? _numbers(_text(data, "x00180082"))?.[0],
    frameType: text("x00189226", "x00089007", "x00080008"),
    temporalIndex: String(temporal?.uint32("x00209128") ?? _text(data, "x00200100")),
    acquisition: _text(data, "x00200012"),
    stack: _text(temporal, "x00209056"),
    sequence: _text(data, "x00180020"),
    options: _text(data, "x00180022"),
  };
}

function _item(data: DataSet | undefined, tag: string, index = 0): DataSet | undefined {
  return data?.elements[tag]?.items?.[index]?.dataSet;
}

/** The text of an element, without the blanks and zeros that make its length even; or empty. */
function _text(data: DataSet | undefined, tag: string): string {
  if (data === undefined || !(data.elements[tag]?.length <= MAX_TEXT)) return "";
  return data.string(tag)?.replace(/[\s\0]+$/, "").trimStart() ?? "";
}

function _number(data: DataSet, tag: string): number | undefined {
  return _numbers(_text(data, tag))?.[0];
}

/** Numbers that are separated by backslashes, or `undefined` if one of them is none. */
function _numbers(text: string): number[] | undefined {
  if (text === "") return undefined;
  const numbers = text.split("\\").map((each) => each.trim() === "" ? NaN : Number(each));
  return numbers.every(Number.isFinite) ? numbers : undefined;
}

function _vector(numbers: number[]): Vector {
  return [numbers[0], numbers[1], numbers[2]];
}
