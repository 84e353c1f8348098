/** The chunks of an archive as one table, in the order of its manifest. */
import { csvValue, eachCsvLine } from "../data/csv.ts";
import { DataError } from "../errors.ts";
import { type FileAction, join, readBytes, sha256Of, writeWhole } from "../files.ts";
import type { ScorePlan } from "./plan.ts";
import { unitFolder } from "./plan_file.ts";
import type { DoneChunk } from "./unit_file.ts";

/** The most bytes of a chunk's table. */
const MAX_TABLE_BYTES = 256 * 1024 * 1024;

/** An archive that was scored. */
export interface GatheredScores {
  /** How many exams it has. */
  exams: number;
  /** The exams that could not be read, with the reason. */
  unreadable: { id: string; reason: string }[];
  /** The table of all exams. */
  predictions: string;
}

/**
 * Puts the tables of all chunks together.
 *
 * @param chunks the results of the plan's units, in their order
 * @throws {DataError} if a table is missing or is not the one that its unit wrote
 */
export async function gatherScores(
  folder: string,
  { units, manifest }: ScorePlan,
  chunks: readonly DoneChunk[],
): Promise<GatheredScores> {
  const texts: Uint8Array[] = [];
  const unreadable: GatheredScores["unreadable"] = [];
  for (const unit of units) {
    const { predictions, sha256 } = chunks[unit.index];
    const path = join(unitFolder(folder, unit), predictions);
    const hint = "move its unit.json away and do the unit again";
    const what = "gather the predictions";
    const action: FileAction = { what, path, access: "read", error: DataError, hint };
    const bytes = await readBytes(action, { most: MAX_TABLE_BYTES });
    if (await sha256Of(bytes) !== sha256) {
      throw new DataError(`Cannot ${what} '${path}': it was changed since it was written: ${hint}`);
    }
    const text = new TextDecoder().decode(bytes);
    eachCsvLine(text, ({ values, line }) => {
      if (line > 1 && values.at(-1) !== "") {
        unreadable.push({ id: values[0], reason: values.at(-1)! });
      }
    }, { refuse: (found) => new DataError(`Cannot ${what} '${path}': ${found}: ${hint}`) });
    // The header of the first one is that of all.
    texts.push(unit.index === 0 ? bytes : bytes.subarray(text.indexOf("\n") + 1));
  }
  const predictions = join(folder, "predictions.csv");
  await writeWhole(predictions, texts);
  const rows = unreadable.map(({ id, reason }) => `${csvValue(id)},${csvValue(reason)}\n`);
  await writeWhole(join(folder, "unreadable.csv"), `id,reason\n${rows.join("")}`);
  const { exams } = manifest;
  const counts = { exams, predicted: exams - unreadable.length, unreadable: unreadable.length };
  await writeWhole(join(folder, "results.json"), JSON.stringify(counts, null, 2) + "\n");
  return { exams, unreadable, predictions };
}
