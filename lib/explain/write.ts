/** An explanation as files: pictures to look at, and the numbers they were made from. */
import type { Exam } from "../data/exam.ts";
import type { Intensity } from "../data/intensity.ts";
import { OutputError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { fileError, join, makeFolder, writeWhole } from "../files.ts";
import type { Plane, Task } from "../terms.ts";
import { animation } from "./animation.ts";
import type { Explanation } from "./explain.ts";
import { fitted, overlay, type View, viewOf } from "./overlay.ts";
import { encodePng } from "./png.ts";
import { contactSheet } from "./sheet.ts";

/** Which model an explanation is of. */
export interface ExplainedModel {
  /** The finding it predicts. */
  task: Task;
  /** The plane it reads. */
  plane: Plane;
  /** How its input was prepared; none if it is an ensemble of models that differ in it. */
  intensity?: Intensity;
  /** Its file. */
  file: string;
  /** The SHA-256 hash of the file, in hexadecimal. */
  sha256: string;
}

/** The files that were written. */
export interface ExplanationFiles {
  /** Contact sheet, PNG. */
  sheet: string;
  /** Through the exam, animated GIF. */
  animation: string;
  /** The numbers, JSON. */
  contributions: string;
  /** A PNG for each slice that has one, in order. */
  slices: string[];
}

/** Slices are drawn at the whole multiple of their size that is nearest to this, in pixels. */
const SIDE = 256;

/** As in `mod.ts`, where it is described. */
export async function writeExplanation(
  folder: string,
  exam: Exam,
  explanation: Explanation,
  model: ExplainedModel,
): Promise<ExplanationFiles> {
  if (!isFileName(`${exam.id}.gif`)) {
    throw new OutputError(
      `Cannot write pictures of the exam '${exam.id}' to '${folder}': no files can be called so on ` +
        "every system: give the exam's file another name",
    );
  }
  await makeFolder(folder);
  const view = viewOf(exam, explanation);
  const title = `${model.task} · ${model.plane}`;
  const at = (name: string) => join(folder, exam.id + name);
  const files: ExplanationFiles = {
    sheet: at("_sheet.png"),
    animation: at(".gif"),
    contributions: at("_contributions.json"),
    slices: await _writeSlices(view, at),
  };
  const text = { Title: `${exam.id}: ${title}`.replace(/[^ -~]/g, "-") };
  await writeWhole(files.sheet, encodePng(contactSheet(view, title), text));
  await writeWhole(files.animation, animation(view));
  await writeWhole(files.contributions, contributionsJson(explanation, model));
  await _removeOthers(folder, exam.id, files.slices);
  return files;
}

/** What {@linkcode writeExplanation} writes as JSON; slices and channels count from 0. */
export function contributionsJson(explanation: Explanation, model: ExplainedModel): string {
  const { id, logits, probability, bias, map, selectedSlices, contributions, slices } = explanation;
  // The keys are those that earlier files have.
  const lines = {
    exam: id,
    task: model.task,
    plane: model.plane,
    model: { file: model.file, sha256: model.sha256, intensity: model.intensity },
    probability,
    logits,
    bias,
    shares: slices.map(({ share }) => share),
    channels_won: slices.map(({ channelsSelected }) => channelsSelected),
    winners: selectedSlices,
    contributions,
    map,
  };
  // A line a key, so that people can read it too.
  const text = Object.entries(lines).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
  return `{\n${text.join(",\n")}\n}\n`;
}

async function _writeSlices(view: View, at: (name: string) => string): Promise<string[]> {
  const { exam, explanation: { map, slices } } = view;
  const longest = Math.max(exam.height, exam.width);
  const size = fitted(exam, longest * Math.max(1, Math.round(SIDE / longest)));
  const digits = Math.max(2, String(slices.length - 1).length);
  const written: string[] = [];
  for (const [slice, { channelsSelected }] of slices.entries()) {
    if (map === "share" && channelsSelected === 0) continue;
    const path = at(`_slice_${String(slice).padStart(digits, "0")}.png`);
    await writeWhole(path, encodePng(overlay(view, slice, size)));
    written.push(path);
  }
  return written;
}

/** Removes slices of an earlier explanation, which would be mistaken for slices of this one. */
async function _removeOthers(folder: string, id: string, written: string[]): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const path = join(folder, name);
      const isSlice = name.startsWith(`${id}_slice_`) &&
        /^\d+\.png$/.test(name.slice(`${id}_slice_`.length));
      if (isSlice && !written.includes(path)) await Deno.remove(path);
    }
  } catch (error) {
    const what = "remove earlier pictures from";
    throw fileError(error, { what, path: folder, access: "read", error: OutputError });
  }
}
