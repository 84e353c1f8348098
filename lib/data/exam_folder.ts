/** Which exams lie in a dataset's folders, whatever its label files say. */
import { DataError } from "../errors.ts";
import { fileError, join } from "../files.ts";
import type { Plane, Split, Task } from "../terms.ts";
import { isExamId, labelFile, readLabels } from "./labels.ts";

/**
 * The names of the exams in the folder of a split and a plane, sorted.
 *
 * @returns none if there is no such folder
 * @throws {DataError} if it cannot be listed
 * @throws {PermissionError} if Deno may not read it
 */
export async function examsInFolder(data: string, split: Split, plane: Plane): Promise<string[]> {
  const ids: string[] = [];
  const folder = join(data, split, plane);
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const id = name.replace(/\.npy$/i, "");
      if (id !== name && isExamId(id)) ids.push(id);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      const action = { what: "list the exams in", path: folder, access: "read" } as const;
      throw fileError(error, { ...action, error: DataError });
    }
  }
  return ids.sort();
}

/** The exams in the folder of a split and a plane that the label file of a task does not name, sorted. */
export async function examsWithoutLabel(
  { data, split, plane, task }: { data: string; split: Split; plane: Plane; task: Task },
): Promise<string[]> {
  const named = new Set((await readLabels(labelFile(data, split, task))).map(({ id }) => id));
  return (await examsInFolder(data, split, plane)).filter((id) => !named.has(id));
}
