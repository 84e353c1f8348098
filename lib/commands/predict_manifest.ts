/** `cli.ts predict --manifest FILE --out CSV`: a row for each exam of a table. */
import { loadClassifier } from "../classifier/load.ts";
import { readManifest } from "../classifier/manifest.ts";
import { scoreExams } from "../classifier/score_exams.ts";
import type { Intensity } from "../data/intensity.ts";
import { describeEngine, type EngineChoice, startEngine } from "../engine/engine.ts";
import { folderOf, makeWritableFolder, writeWhole } from "../files.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import { UsageError } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";

/** What the command was given. */
export interface ManifestGiven extends Partial<Record<Plane, string>> {
  model: string;
  manifest?: string;
  out?: string;
  task?: Task;
  plane?: Plane;
  intensity?: Intensity;
  series?: unknown;
  dicomweb?: string;
  backend: EngineChoice;
  threads?: number;
}

/**
 * Predicts the exams of a manifest. Those that cannot be read are listed in the table with the reason and
 * counted, and change nothing about the exit code.
 */
export async function predictManifest(
  exams: readonly string[],
  given: ManifestGiven,
  { json, cam, sr, sc }: { json: boolean; cam?: string; sr?: string; sc?: string },
): Promise<void> {
  const { model, manifest, out, task, plane, intensity, backend, threads } = given;
  if (manifest === undefined) {
    throw new UsageError("argument --out: not allowed without argument --manifest");
  }
  if (out === undefined) {
    throw new UsageError("argument --manifest: not allowed without argument --out");
  }
  const odd = cam !== undefined
    ? "--cam"
    : sr !== undefined
    ? "--sr"
    : sc !== undefined
    ? "--sc"
    : json
    ? "--json"
    : exams.length > 0
    ? "EXAM"
    : given.dicomweb !== undefined
    ? "--dicomweb"
    : PLANES.filter((each) => given[each] !== undefined).map((each) => `--${each}`)[0];
  if (odd !== undefined) {
    throw new UsageError(`argument ${odd}: not allowed with argument --manifest`);
  }
  await checkModelFiles([model]);
  const engine = await startEngine(backend, { threads });
  using classifier = await loadClassifier(model, { task, plane, intensity });
  const { exams: listed } = await readManifest(manifest, classifier.planes);
  // What cannot be written is found before anything is computed.
  await makeWritableFolder(folderOf(out));
  remark(`Engine: ${describeEngine(engine)}`);
  const timer = new PhaseTimer();
  timer.mark();
  const scored = await scoreExams(classifier, listed, {
    onExam({ done, total }) {
      showProgress({ label: "predict", done, total, unit: "exams", ...timer.at("predict", done) });
    },
  });
  endProgress();
  const { table, unreadable } = scored!;
  await writeWhole(out, table);
  for (const { id, reason } of unreadable) remark(`Not read: ${id}: ${reason}`);
  print(`${out}: ${listed.length} exams, ${unreadable.length} of which could not be read`);
}
