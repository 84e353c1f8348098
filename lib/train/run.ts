/** A whole training run on MRNet's folders: what `cli.ts` does when it trains, as one function. */
import { describeEngine, type Engine, startEngine } from "../engine/engine.ts";
import { MRNetError, OptionError } from "../errors.ts";
import { join, makeWritableFolder } from "../files.ts";
import { flushHistory } from "../logs/run_folder.ts";
import type { RunLock } from "../logs/run_lock.ts";
import type { ModelCard } from "../model/card.ts";
import { readCardFile } from "../model/card_text.ts";
import { checkStartOfFold, modelOf, type ModelStart, readStart } from "../model/create.ts";
import { shortened } from "../quoted.ts";
import { drawSeed } from "../random.ts";
import { BestCheckpoint, type CheckpointOptions, checkPrefix } from "./checkpoint.ts";
import { HashedExams, hashesOf } from "./hashed_exams.ts";
import { importedExams } from "./imported_exams.ts";
import { keptSettings, type RunSettings, withDefaults } from "./kept_settings.ts";
import type { ExamReport } from "./reports.ts";
import { resolveTrainOptions } from "./resolve.ts";
import { elsewhere, type Resumption, resumption } from "./resume.ts";
import {
  openHeldOut,
  openRunExams,
  refusingOddExams,
  type RunExams,
  surveyRunExams,
} from "./run_exams.ts";
import { RunLog } from "./run_log.ts";
import type { ResumedRun, RunOptions, RunResult, RunTraining } from "./run_options.ts";
import { RunRecorder } from "./run_recorder.ts";
import { maxEpochs } from "./run_state.ts";
import { newRunSecret, runMark } from "./run_secret.ts";
import { trainFrom } from "./trainer.ts";

export type { ResumedRun, RunOptions, RunResult } from "./run_options.ts";
export type { RunStart, RunTraining, Selection } from "./run_options.ts";

/** How long a card's text on the engines can be, in characters. */
const MAX_ENGINES = 900;

/** Trains one classifier from the files of MRNet: `train` as it is given a run, which documents it. */
export async function trainRun(options: RunOptions): Promise<RunResult> {
  _checkRun(options);
  if (options.resume === undefined) return await _run(options);
  const { from, lock } = await resumption(options);
  try {
    return await _run(options, { from, lock });
  } finally {
    await lock.release();
  }
}

async function _run(
  options: RunOptions,
  { from, lock }: { from?: Resumption; lock?: RunLock } = {},
): Promise<RunResult> {
  const given = from?.options ?? options;
  const settings = withDefaults(given);
  const { task, plane, logs, threads, precision } = settings;
  const { seed = drawSeed() } = settings;
  const { onStart, onEpoch, onDownload, ...loop } = given;
  const asked = resolveTrainOptions(loop);
  const about = settings.card === undefined ? undefined : await readCardFile(settings.card);
  const exams = await openRunExams(settings, asked.epochs, from);
  const engine = await startEngine(settings.engine, { threads, precision });
  const beginning = await _readStart(settings, {
    ...{ from, onDownload, signal: loop.signal, seed, exams },
  });
  const earlierExams = _withinRoom(beginning, exams, asked.epochs);
  const intensity = asked.intensity ?? beginning.intensity ?? "raw";
  const { train, valid } = await refusingOddExams(exams, settings, intensity);
  // A run of an earlier version has no landmarks in its state.
  const survey = from?.state.landmarks === undefined
    ? await surveyRunExams(exams, settings, intensity)
    : undefined;
  const model = modelOf(beginning, { intensity, landmarks: survey?.landmarks });
  const training: RunTraining = { ...asked, intensity };
  const config = keptSettings({ ...settings, ...training, seed });
  const run = from?.state.run ?? newRunSecret();
  let log: RunLog | undefined;
  let recorder: RunRecorder | undefined;
  try {
    const { chosenOn, labels } = exams;
    const [trained, chosen] = [new HashedExams(train), new HashedExams(valid)];
    const card = {
      ..._modelCard(config, training, settings.tune),
      ...{ about, engine: _enginesOf(engine, from), earlierExams },
    };
    const checkpoint = settings.saveModel
      ? await _openCheckpoint(settings, { chosenOn, card, run: await runMark(run) }, from)
      : undefined;
    const leftovers = from && await _removeLeftovers(checkpoint);
    const flushed = settings.flushHistory ? await flushHistory(logs, task, plane) : 0;
    const begun = { ...config, ..._computedOn(engine), started: new Date().toISOString() };
    const logged = from === undefined ? begun : _resumedConfig(from, config, engine);
    log = from === undefined
      ? await RunLog.create(logs, { task, plane }, begun)
      : await RunLog.resume(from.folder, logged, from.state.events, from.state.progress.epochs);
    const held = (lock ?? log.lock)!;
    const saveEvery = 60_000 * settings.saveEvery;
    const recording = new RunRecorder({
      ...{ model, engine, log, lock: held, checkpoint, logged, saveEvery, from, onEpoch },
      exams: { trained, chosen },
      imported: await importedExams(settings, train.labels),
      fixed: { run, config, labels, landmarks: model.landmarks, earlierExams },
    });
    recorder = recording;
    const counts = { trainExams: train.labels.length, validExams: valid.labels.length, chosenOn };
    onStart?.({
      ...{ engine, seed, training, ...counts, logFolder: log.folder, flushed, lock: held.kind },
      checks: survey?.checks,
      ...(from && { resumed: { ..._resumed(from, engine), ...leftovers } }),
    });
    const onExam = (report: ExamReport) => {
      recording.exam(report);
      loop.onExam?.(report);
    };
    const datasets = { train: trained.dataset, valid: chosen.dataset };
    const loopOptions = { ...training, seed, onExam };
    const result = await trainFrom(model, datasets, loopOptions, recording.hooks());
    return { ...result, chosenOn, checkpoint: checkpoint?.path, logFolder: log.folder, seed };
  } catch (error) {
    // A fault of this toolkit is shown as it is; the user's own errors say what they still have.
    if (error instanceof MRNetError) error.message += recorder?.remains() ?? "";
    throw error;
  } finally {
    model.dispose();
    await log?.close();
  }
}

/** The weights to begin with: new ones, or those of the state. */
async function _readStart(
  settings: ReturnType<typeof withDefaults>,
  { from, seed, exams, onDownload, signal }:
    & Pick<RunOptions, "onDownload" | "signal">
    & { from?: Resumption; seed: number; exams: RunExams },
): Promise<ModelStart> {
  if (from !== undefined) {
    const { parameters, landmarks, earlierExams } = from.state;
    return { state: parameters, landmarks, earlierExams };
  }
  const { weights, network, models, tune, fold } = settings;
  const options = { weights, network, seed, models, signal, onProgress: onDownload };
  const tuneExams = async () => tune === undefined ? [] : await hashesOf(exams.valid);
  if (fold === undefined) return await readStart({ ...options, tune }, tuneExams);
  // Folds have tune splits of their own, which no fraction and seed tell.
  await checkStartOfFold(weights, fold, async () => [
    ...await hashesOf(await openHeldOut(settings)),
    ...await tuneExams(),
  ]);
  return await readStart(options);
}

/** The exams that the model to start from knows; not told where a state has no room for so many. */
function _withinRoom(
  { earlierExams }: ModelStart,
  { train, valid }: RunExams,
  epochs: number,
): ModelStart["earlierExams"] {
  if (earlierExams === undefined || earlierExams === "unknown") return earlierExams;
  const most = maxEpochs(train.labels.length + valid.labels.length, earlierExams.length);
  return epochs <= most ? earlierExams : "unknown";
}

/** How a model was made, as its file says it. */
function _modelCard(
  config: RunSettings,
  { recipe, lossWeights, intensity }: RunTraining,
  tune: RunOptions["tune"],
): Partial<ModelCard> {
  return { config, recipe, lossWeights, intensity, tune };
}

/** Every engine that computed a run. */
function _enginesOf(engine: Engine, from: Resumption | undefined): string {
  const before = from === undefined ? [] : [from.config.begun, ...from.config.resumed];
  const all = [...before.map(({ engine }) => engine), describeEngine(engine)];
  return shortened([...new Set(all)].join("; then "), MAX_ENGINES);
}

/** Makes sure that models can be kept, and takes up the best one of a run that goes on. */
async function _openCheckpoint(
  { models, prefix, task, plane }: ReturnType<typeof withDefaults>,
  marks: Pick<CheckpointOptions, "chosenOn" | "card" | "run">,
  from: Resumption | undefined,
): Promise<BestCheckpoint> {
  await makeWritableFolder(models);
  const best = from?.state.checkpoint;
  const options = { folder: models, prefix, task, plane, ...marks };
  return new BestCheckpoint(options, best && join(models, best));
}

/** Removes models that a kill has left of the run, and says which model stays for good. */
async function _removeLeftovers(
  checkpoint: BestCheckpoint | undefined,
): Promise<Pick<ResumedRun, "removed" | "left">> {
  if (checkpoint === undefined) return {};
  const removed = await checkpoint.removeOthers();
  const earlier = checkpoint.path;
  const left = earlier !== undefined && !await checkpoint.isOwn(earlier) ? earlier : undefined;
  return { ...(removed.length > 0 && { removed }), ...(left !== undefined && { left }) };
}

/** What is known to be wrong before any file is looked at. */
function _checkRun(options: RunOptions) {
  const { prefix, resume, flushHistory, saveEvery } = withDefaults(options);
  checkPrefix(prefix);
  if (!(saveEvery >= 0)) {
    throw new OptionError(
      `Cannot save every ${saveEvery} minutes: give a number of minutes, 0 or more`,
    );
  }
  const { tune, operatingPoint = "youden" } = options;
  if (resume === undefined && tune === undefined && operatingPoint !== "youden") {
    throw new OptionError(
      `Cannot choose the operating point ${operatingPoint} by the validation exams, which evaluate the ` +
        "model: keep exams out that choose it, with --tune 0.1",
    );
  }
  if (resume === undefined || !flushHistory) return;
  throw new OptionError(
    "Cannot go on with a run and remove the earlier logs, its own among them: leave one of the two out",
  );
}

/** What `config.json` says of a run that goes on. */
function _resumedConfig(
  { state: { progress }, config: { begun, resumed } }: Resumption,
  settings: RunSettings,
  engine: Engine,
): Record<string, unknown> {
  const { epochs, skipped } = progress;
  const epoch = epochs.length + 1;
  const now = { epoch, ..._computedOn(engine), started: new Date().toISOString() };
  const left = skipped.length > 0 && { skipped };
  return { ...settings, ...begun, ...left, resumed: [...resumed, now] };
}

/** What `config.json` says of the engine; a driver's own words where it is a GPU. */
function _computedOn(engine: Engine): Record<string, unknown> {
  return { engine: describeEngine(engine), adapter: engine.adapter };
}

function _resumed({ path, state }: Resumption, engine: Engine): ResumedRun {
  const { epochs, train, valid } = state.progress;
  return {
    state: path,
    epochs: epochs.length,
    done: { train: train.length, valid: valid.length },
    elsewhere: elsewhere(state, engine),
  };
}
