/**
 * `exams.csv`: what each imported exam was made of. It names no patient and nothing of theirs: the
 * source is a hash, what operators write freely is left out.
 */
import { csvShape, eachCsvLine } from "../data/csv.ts";
import { isExamId } from "../data/labels.ts";
import { DataError } from "../errors.ts";
import { isMissing, readBytes, writeWhole } from "../files.ts";
import { type Plane, PLANES, type Split, SPLITS } from "../terms.ts";
import { type ExamGeometry, MAX_MM } from "./exam_geometry.ts";
import type { Vector } from "./geometry.ts";

/** An imported exam. */
export interface ImportedRow {
  /** The exam's name. */
  id: string;
  /** The split that it is part of. */
  split: Split;
  /** Its plane. */
  plane: Plane;
  /** How many slices it has. */
  slices: number;
  /** `R`, `L` or empty. */
  side: string;
  /** What kind of sequence it was, with its times in milliseconds. */
  sequence: string;
  /** Maker, model and field strength of the scanner; empty if nothing is said, as in earlier tables. */
  scanner: string;
  /** Which study it is of: the first 16 digits of a hash. */
  study: string;
  /** Which series it was made of: the first 16 digits of a hash. */
  source: string;
  /**
   * What its grey values were made by: `percentiles`, or `landmarks` and the first eight digits of a hash
   * of the landmarks that they were mapped to.
   */
  greyValues: string;
  /** Where its pixels lie, as far as its files say it; none in tables of earlier versions. */
  geometry?: ExamGeometry;
  /** What is odd about it. */
  remarks: string[];
}

/** What grey values are made by if nothing else is said, as in tables of earlier versions. */
export const PERCENTILES = "percentiles";

const COLUMNS = [
  "id",
  "split",
  "plane",
  "slices",
  "side",
  "sequence",
  "study",
  "source",
  "grey_values",
  "scanner",
  "pixel_mm",
  "directions",
  "positions",
  "frame",
  "remarks",
] as const;
type Column = (typeof COLUMNS)[number];

/** What the columns hold that tables of earlier versions do not have. */
const LATER: Partial<Readonly<Record<Column, string>>> = {
  ...{ grey_values: PERCENTILES, scanner: "" },
  ...{ pixel_mm: "", directions: "", positions: "", frame: "" },
};

const MAX_BYTES = 64 * 1024 * 1024;

const HINT = "give another --out, or move that file away";

/**
 * Reads the table; there is none before the first import.
 *
 * @throws {DataError} if it is damaged
 */
export async function readExamTable(path: string): Promise<ImportedRow[]> {
  if (await isMissing(path)) return [];
  const action = { what: "read", path, access: "read", error: DataError, hint: HINT } as const;
  return decodeExamTable(await readBytes(action, { most: MAX_BYTES }), path);
}

/**
 * Decodes the bytes of a table.
 *
 * @throws {DataError} if it is damaged
 */
export function decodeExamTable(bytes: Uint8Array, path: string): ImportedRow[] {
  const refuse = (found: string) => new DataError(`Cannot read '${path}': ${found}: ${HINT}`);
  const rows: ImportedRow[] = [];
  const text = new TextDecoder().decode(bytes);
  let columns: readonly Column[] | undefined;
  eachCsvLine(text, ({ values, line }) => {
    if (columns === undefined) {
      columns = COLUMNS.filter((column) => values.includes(column) || !(column in LATER));
      if (values.join() !== columns.join()) throw refuse("it has not the columns of an import");
      return;
    }
    const row = values.length === columns.length ? _row(columns, values) : undefined;
    if (row === undefined) throw refuse(`line ${line} is not one of an import`);
    rows.push(row);
  }, { columns: csvShape(text).width, refuse });
  if (columns === undefined) throw refuse("it is empty");
  return rows;
}

function _row(columns: readonly Column[], values: readonly string[]): ImportedRow | undefined {
  const of = (column: Column) => values[columns.indexOf(column)] ?? LATER[column] ?? "";
  const [id, split, plane, slices, source] = [
    ...(["id", "split", "plane", "slices", "source"] as const).map(of),
  ];
  const geometry = _geometry(of, Number(slices));
  const isSound = geometry !== "damaged" && isExamId(id) && /^\d{1,6}$/.test(slices) &&
    (PLANES as readonly string[]).includes(plane) &&
    (SPLITS as readonly string[]).includes(split) && /^[0-9a-f]{16}$/.test(source);
  if (!isSound) return undefined;
  return {
    ...{ id, split: split as Split, plane: plane as Plane, slices: Number(slices) },
    ...{ side: of("side"), sequence: of("sequence"), study: of("study"), source },
    ...{ scanner: of("scanner"), greyValues: of("grey_values") },
    ...geometry !== undefined && { geometry },
    remarks: of("remarks") === "" ? [] : of("remarks").split("; "),
  };
}

/** What the columns of its geometry say. */
function _geometry(
  of: (column: Column) => string,
  slices: number,
): ExamGeometry | "damaged" | undefined {
  const said = (["pixel_mm", "directions", "positions"] as const).map(of);
  const numbers = said.map((text) => text === "" ? [] : text.split(" ").map(Number));
  const [[pixel], directions, positions] = numbers;
  const frame = of("frame");
  const isSound = numbers.flat().every((each) => Math.abs(each) <= MAX_MM) &&
    numbers[0].length <= 1 && !(pixel <= 0) && [0, 6].includes(directions.length) &&
    _vectors(directions).every((each) => Math.abs(Math.hypot(...each) - 1) < 1e-3) &&
    [0, 1, Math.min(2, slices), slices].includes(positions.length / 3) &&
    /^([0-9a-f]{16})?$/.test(frame);
  if (!isSound) return "damaged";
  if (pixel === undefined && directions.length === 0) return undefined;
  const [across, down] = _vectors(directions);
  return {
    ...pixel !== undefined && { pixel },
    ...across !== undefined && { directions: [across, down] },
    ...positions.length > 0 && { positions: _vectors(positions) },
    ...frame !== "" && { frame },
  };
}

function _vectors(numbers: readonly number[]): Vector[] {
  return Array.from({ length: numbers.length / 3 }, (_, i) => {
    const [x, y, z] = numbers.slice(3 * i, 3 * i + 3);
    return [x, y, z];
  });
}

/** Writes the table, by exam and plane. */
export async function writeExamTable(path: string, rows: readonly ImportedRow[]): Promise<void> {
  const order = (row: ImportedRow) => `${row.id}|${PLANES.indexOf(row.plane)}`;
  const lines = rows.toSorted((a, b) => order(a) < order(b) ? -1 : 1).map((row) =>
    [
      ...[
        row.id,
        row.split,
        row.plane,
        String(row.slices),
        row.side,
        row.sequence,
        row.study,
        row.source,
        row.greyValues,
        row.scanner,
        ..._geometryTexts(row.geometry),
      ],
      row.remarks.join("; "),
    ].map(_quoted).join(",")
  );
  await writeWhole(path, `${[COLUMNS.join(","), ...lines].join("\n")}\n`);
}

function _geometryTexts(
  { pixel, directions, positions, frame = "" }: ExamGeometry = {},
): string[] {
  const texts = [pixel === undefined ? [] : [pixel], directions ?? [], positions ?? []];
  return [...texts.map((numbers) => numbers.flat().join(" ")), frame];
}

function _quoted(value: string): string {
  return /[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
