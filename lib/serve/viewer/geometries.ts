/** Where the pixels of a dataset's exams lie, as the table of their import says it. */
import { type Exam, MRNET_SIDE } from "../../data/exam.ts";
import { MRNetError } from "../../errors.ts";
import { join } from "../../files.ts";
import type { ExamGeometry } from "../../imaging/exam_geometry.ts";
import { type ImportedRow, readExamTable } from "../../imaging/exam_table.ts";
import type { Plane } from "../../terms.ts";

/** The table that an import leaves in the folder of the dataset. */
const TABLE = "exams.csv";

/** The geometries of a dataset's exams. The table is read again if it was written since. */
export class Geometries {
  readonly #path: string;
  #version = "";
  #rows: Promise<ReadonlyMap<string, ImportedRow>> = Promise.resolve(new Map());

  /** @param data the folder of the dataset */
  constructor(data: string) {
    this.#path = join(data, TABLE);
  }

  /**
   * The geometry of an exam.
   *
   * @param exam what its file holds: if that has another size, it is not what was imported
   * @returns nothing if it was not imported, or nothing is known of it
   */
  async of(
    { split, id, plane }: { split: string; id: string; plane: Plane },
    { slices, height, width }: Exam,
  ): Promise<ExamGeometry | undefined> {
    const row = (await this.#table()).get(_key({ split, id, plane }));
    const isItsOwn = row?.slices === slices && height === MRNET_SIDE && width === MRNET_SIDE;
    return isItsOwn ? row.geometry : undefined;
  }

  async #table(): Promise<ReadonlyMap<string, ImportedRow>> {
    const version = await Deno.stat(this.#path).then(
      ({ size, mtime, ino }) => `${size} ${mtime?.getTime()} ${ino}`,
      () => "",
    );
    if (version !== this.#version) {
      this.#version = version;
      this.#rows = version === "" ? Promise.resolve(new Map()) : this.#read();
    }
    return await this.#rows;
  }

  /** A file of this name that no import wrote is somebody's own: exams are shown without it. */
  async #read(): Promise<ReadonlyMap<string, ImportedRow>> {
    try {
      const rows = await readExamTable(this.#path);
      return new Map(rows.map((row) => [_key(row), row]));
    } catch (error) {
      if (error instanceof MRNetError) return new Map();
      throw error;
    }
  }
}

function _key({ split, id, plane }: Pick<ImportedRow, "id" | "plane"> & { split: string }): string {
  return `${split}/${id}/${plane}`;
}
