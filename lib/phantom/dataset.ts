/**
 * Writes a made-up dataset in exactly MRNet's layout, so that everything that works on MRNet works
 * on it.
 */
import { OptionError, OutputError } from "../errors.ts";
import { baseName, fileError, ifThere, join, makeFolder, writeWhole } from "../files.ts";
import { PLANES, type Split, SPLITS, type Task, TASKS } from "../terms.ts";
import { createRandom } from "../random.ts";
import { examFile, formatLabels, labelFile } from "../data/labels.ts";
import { readExamHeader } from "../data/exam.ts";
import { encodeNpy } from "../data/npy.ts";
import type { Findings } from "./injuries.ts";
import { dealFindings, MRNET_PREVALENCE, type Prevalence } from "./labels.ts";
import { checkSeed, checkSize, checkSlices, renderPhantom } from "./render.ts";
import { beginOrGoOn, endUnfinished, readUnfinished, removeIncomplete } from "./unfinished.ts";
import type { PhantomSettings } from "./unfinished.ts";

/** What to write, and where. */
export interface PhantomDatasetOptions {
  /** Folder that will hold the dataset; it is made if it is missing. */
  readonly folder: string;
  /** Number of training exams. 0 leaves the split out. */
  readonly train: number;
  /** Number of validation exams. 0 leaves the split out. */
  readonly valid: number;
  /**
   * Rows and columns of a slice, 64 to 1024. MRNet has 256.
   *
   * @default {256}
   */
  readonly size?: number;
  /**
   * Fewest and most slices of a series; each series has its own number between them, 1 to 512.
   *
   * @default {[17, 61]}
   */
  readonly slices?: readonly [fewest: number, most: number];
  /** Whole number from which everything random is drawn. */
  readonly seed: number;
  /**
   * Share of exams with each finding, if it is to differ from MRNet's. A balanced set to try
   * things on has `{ train: { abnormal: 0.5, acl: 0.25, meniscus: 0.25 } }`, for example.
   *
   * @default {MRNET_PREVALENCE}
   */
  readonly prevalence?: Readonly<Partial<Record<Split, Readonly<Partial<Prevalence>>>>>;
  /** Ends the work after the exam at hand; the function then fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface PhantomDatasetSummary {
  /** The folder. */
  readonly folder: string;
  /** For each split, its exams and how many of them have each finding. */
  readonly splits: Readonly<Record<Split, { exams: number } & Record<Task, number>>>;
  /** Size of all exam files together, bytes. */
  readonly bytes: number;
}

/** Ids have four digits. */
const MAX_EXAMS = 10_000;

/** As in `verbs.ts`, where it is described. */
export async function writePhantomDataset(
  options: PhantomDatasetOptions,
  onExam?: (done: number, total: number) => void,
): Promise<PhantomDatasetSummary> {
  const plan = _plan(options);
  const { folder } = plan;
  if (await readUnfinished(folder) === undefined) await _refuseDataset(folder);
  await makeFolder(folder, "make the folder of the dataset");
  await beginOrGoOn(folder, _settings(plan));
  await removeIncomplete(folder);
  await _writeNote(plan);
  let [done, bytes] = [0, 0];
  const filled = plan.splits.filter(({ findings }) => findings.length > 0);
  for (const each of filled) {
    for (const plane of PLANES) {
      await makeFolder(join(folder, each.split, plane));
      await removeIncomplete(join(folder, each.split, plane));
    }
    for (const k of each.findings.keys()) {
      bytes += await _writeExam(plan, each, k);
      onExam?.(++done, options.train + options.valid);
      // Rendering holds the thread, so a signal is heard of here.
      await new Promise((resolve) => setTimeout(resolve));
      options.signal?.throwIfAborted();
    }
  }
  for (const { split, firstId, findings } of filled) {
    for (const task of TASKS) {
      const rows = findings.map((found, k) => ({ id: `${firstId + k}`, label: found[task] }));
      await writeWhole(labelFile(folder, split, task), formatLabels(rows));
    }
  }
  await endUnfinished(folder);
  const count = ({ findings }: PlannedSplit) => ({
    exams: findings.length,
    abnormal: _positives(findings, "abnormal"),
    acl: _positives(findings, "acl"),
    meniscus: _positives(findings, "meniscus"),
  });
  const [train, valid] = plan.splits.map(count);
  return { folder, splits: { train, valid }, bytes };
}

function _positives(findings: readonly Findings[], task: Task): number {
  return findings.filter((found) => found[task] === 1).length;
}

/** The options with every default filled in, and who has which findings. */
interface Plan {
  folder: string;
  seed: number;
  size: number;
  slices: readonly [fewest: number, most: number];
  splits: PlannedSplit[];
}

/** A split of the dataset. */
interface PlannedSplit {
  split: Split;
  firstId: number;
  prevalence: Prevalence;
  findings: Findings[];
}

function _plan(options: PhantomDatasetOptions): Plan {
  const { folder, seed, size = 256, slices = [17, 61] } = options;
  checkSeed(seed);
  checkSize(size);
  _checkSliceRange(slices);
  _checkCounts(options);
  const splits = SPLITS.map((split): PlannedSplit => {
    const prevalence = { ...MRNET_PREVALENCE[split], ...options.prevalence?.[split] };
    const findings = dealFindings(options[split], prevalence, seed, split);
    // As in MRNet, the ids of the validation exams follow on from those of the training set.
    return { split, firstId: split === "train" ? 0 : options.train, prevalence, findings };
  });
  return { folder, seed, size, slices, splits };
}

/** What decides what the files hold. */
function _settings({ seed, size, slices, splits }: Plan): PhantomSettings {
  const of = ({ findings, prevalence }: PlannedSplit) => ({
    exams: findings.length,
    ...prevalence,
  });
  const [train, valid] = splits.map(of);
  return { seed, size, slices, train, valid };
}

/** Renders and writes one exam, unless it is there; says how many bytes that are. */
async function _writeExam(
  { folder, seed, size, slices: [fewest, most] }: Plan,
  { split, firstId, findings }: PlannedSplit,
  k: number,
): Promise<number> {
  // Named by its index in its split, so that it does not depend on how many there are.
  const exam = `${split} ${k}`;
  const random = createRandom(seed, "phantom", exam, "slices");
  const draw = () => fewest + random.integer(most - fewest + 1);
  const slices = { axial: draw(), coronal: draw(), sagittal: draw() };
  const files = PLANES.map((plane) => ({
    plane,
    path: examFile(folder, split, plane, `${firstId + k}`),
    shape: [slices[plane], size, size] as const,
  }));
  const there = await Promise.all(files.map(({ path, shape }) => _lengthOf(path, shape)));
  if (there.every((bytes) => bytes !== undefined)) return there.reduce((sum, bytes) => sum + bytes);
  const rendered = renderPhantom({ seed, exam, findings: findings[k], size, slices });
  let bytes = 0;
  for (const { plane, path, shape } of files) {
    const file = encodeNpy(rendered[plane].voxels, shape);
    await writeWhole(path, file);
    bytes += file.length;
  }
  return bytes;
}

/** The length of an exam's file, if it is there and has this shape; files are whole or not there. */
async function _lengthOf(
  path: string,
  [slices, height, width]: readonly [number, number, number],
): Promise<number | undefined> {
  try {
    const header = await readExamHeader(path);
    const isIt = header.slices === slices && header.height === height && header.width === width;
    return isIt ? (await Deno.stat(path)).size : undefined;
  } catch {
    return undefined;
  }
}

function _checkSliceRange([fewest, most]: readonly [number, number]): void {
  checkSlices(fewest);
  checkSlices(most);
  if (fewest <= most) return;
  throw new OptionError(
    `Cannot make phantoms with ${fewest} to ${most} slices: the first number must not be the larger`,
  );
}

function _checkCounts(options: PhantomDatasetOptions): void {
  for (const split of SPLITS) {
    const count = options[split];
    if (Number.isInteger(count) && count >= 0) continue;
    throw new OptionError(
      `Cannot make ${count} ${split} phantoms: it must be a whole number of at least 0`,
    );
  }
  const total = options.train + options.valid;
  if (total >= 1 && total <= MAX_EXAMS) return;
  throw new OptionError(
    `Cannot make ${total} phantoms: train and valid together must be 1 to ${MAX_EXAMS}, ` +
      `because ids have four digits`,
  );
}

/** Refuses a folder with exams or labels: they might be somebody's data. */
async function _refuseDataset(folder: string): Promise<void> {
  const labels = SPLITS.flatMap((split) => TASKS.map((task) => labelFile(folder, split, task)));
  for (const path of [...SPLITS.map((split) => join(folder, split)), ...labels]) {
    if (!await _exists(path, folder)) continue;
    throw new OutputError(
      `Cannot write phantoms to '${folder}': it already holds '${baseName(path)}': ` +
        `choose another folder or remove it`,
    );
  }
}

async function _exists(path: string, folder: string): Promise<boolean> {
  try {
    return await ifThere(Deno.lstat(path)) !== undefined;
  } catch (error) {
    const what = "look for a dataset in";
    throw fileError(error, { what, path: folder, access: "read", error: OutputError });
  }
}

/** Says what the folder holds, in the folder. A README that is there already stays. */
async function _writeNote({ folder, seed, size, slices, splits }: Plan): Promise<void> {
  const rows = splits.map(({ split, findings, prevalence }) =>
    `| ${split} | ${findings.length} | ${TASKS.map((task) => prevalence[task]).join(" | ")} |`
  );
  const range = slices[0] === slices[1] ? slices[0] : slices.join(" to ");
  const text = `# Made-up knees

The exams in this folder show no person. A program drew them, in the layout of MRNet, to try, test and
measure software with. What is learnt from them says nothing about real knees: never use it for
diagnosis, and never report its results as results on MRNet.

| part | exams | share abnormal | share with ACL tear | share with meniscal tear |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

Made from seed ${seed}: ${size} × ${size} pixels, ${range} slices a series. The same options give the
same files. The label files are written last; where they are missing, the dataset is unfinished.
`;
  const path = join(folder, "README.md");
  // One that was written when this set was begun is the same.
  const taken = await _exists(path, folder) && await Deno.readTextFile(path) !== text;
  await writeWhole(taken ? join(folder, "PHANTOMS.md") : path, text);
}
