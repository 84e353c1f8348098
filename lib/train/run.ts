/**
 * A whole training run on MRNet's folders: what `cli.ts` does when it trains, as one function.
 *
 * @module
 */
import { openDataset } from "../data/dataset.ts";
import { examFile } from "../data/labels.ts";
import { describeEngine, type Engine, startEngine } from "../engine/engine.ts";
import { MRNetError, OptionError } from "../errors.ts";
import { baseName, join, makeWritableFolder } from "../files.ts";
import { flushHistory } from "../logs/run_folder.ts";
import type { RunLock } from "../logs/run_lock.ts";
import { cardMetadata } from "../model/card.ts";
import { createMRNet } from "../model/create.ts";
import { MRNet } from "../model/mrnet.ts";
import { drawSeed } from "../random.ts";
import { BestCheckpoint, checkPrefix } from "./checkpoint.ts";
import { refusingOddPair } from "./odd_exams.ts";
import { ChosenExams } from "./chosen_exams.ts";
import type { Position } from "./progress.ts";
import { keptSettings, type RunSettings, withDefaults } from "./kept_settings.ts";
import { checkLabels, elsewhere, hashLabels, type Resumption, resumption } from "./resume.ts";
import { resolveTrainOptions } from "./resolve.ts";
import { RunLog } from "./run_log.ts";
import type { ResumedRun, RunOptions, RunResult, RunTraining, Selection } from "./run_options.ts";
import { newRunSecret, runMark } from "./run_secret.ts";
import { checkRoom, type RunState, STATE_FILE, writeRunState } from "./run_state.ts";
import type { ExamReport } from "./reports.ts";
import { trainFrom } from "./trainer.ts";

export type {
  ResumedRun,
  RunOptions,
  RunResult,
  RunStart,
  RunTraining,
  Selection,
} from "./run_options.ts";

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
  const { task, plane, prefix, data, models, logs, weights, saveModel } = settings;
  const { seed = drawSeed() } = settings;
  const { onStart, onEpoch, onDownload, ...loop } = given;
  const { onExam, signal } = loop;
  const asked = resolveTrainOptions(loop);
  const { tune, skipBadExams } = settings;
  const chosenOn: Selection = tune === undefined ? "valid" : "tune";
  const exams = { data, task, plane, tune, inMemory: settings.inMemory, skipBadExams };
  const files = {
    train: (id: string) => examFile(data, "train", plane, id),
    valid: (id: string) => examFile(data, tune === undefined ? "valid" : "train", plane, id),
  };
  const opened = {
    train: await openDataset({ ...exams, split: "train" }),
    valid: await openDataset({ ...exams, split: chosenOn }),
  };
  checkRoom(opened.train.labels.length + opened.valid.labels.length, asked.epochs);
  const labels = {
    train: await hashLabels(opened.train),
    valid: await hashLabels(opened.valid),
  };
  if (from !== undefined) checkLabels(from, labels, opened);
  const { threads, precision } = settings;
  const engine = await startEngine(settings.engine, { threads, precision });
  const start = { weights, seed, models, intensity: asked.intensity, tune };
  const model = from === undefined
    ? await createMRNet({ ...start, signal, onProgress: onDownload })
    : new MRNet(from.state.parameters, { intensity: asked.intensity });
  const training: RunTraining = { ...asked, intensity: model.intensity };
  const config = keptSettings({ ...settings, ...training, seed });
  const run = from?.state.run ?? newRunSecret();
  let checkpoint: BestCheckpoint | undefined;
  let log: RunLog | undefined;
  let position: Position | undefined;
  let saved: string | undefined;
  try {
    const sound = settings.anyRange
      ? opened
      : await refusingOddPair(opened, files, { intensity: model.intensity, skipBadExams });
    const chosen = new ChosenExams(sound.valid);
    const datasets = { train: sound.train, valid: chosen.dataset };
    if (saveModel) {
      await makeWritableFolder(models);
      const { recipe, lossWeights, intensity } = training;
      const card = cardMetadata({ recipe, lossWeights, intensity, tune });
      const metadata = { config: JSON.stringify(config), ...card };
      const best = from?.state.checkpoint;
      checkpoint = new BestCheckpoint(
        { ...{ folder: models, prefix, task, plane, chosenOn, metadata, run: await runMark(run) } },
        best && join(models, best),
      );
    }
    const removed = from === undefined ? [] : await checkpoint?.removeOthers() ?? [];
    const earlier = from && checkpoint?.path;
    const left = earlier !== undefined && !await checkpoint!.isOwn(earlier) ? earlier : undefined;
    const flushed = settings.flushHistory ? await flushHistory(logs, task, plane) : 0;
    const begun = { ...config, ..._computedOn(engine), started: new Date().toISOString() };
    const logged = from === undefined ? begun : _goneOn(from, config, engine);
    log = from === undefined
      ? await RunLog.create(logs, { task, plane }, begun)
      : await RunLog.resume(from.folder, logged, from.state.events, from.state.progress.epochs);
    const running = log;
    const held = (lock ?? log.lock)!;
    const path = join(log.folder, STATE_FILE);
    if (from !== undefined) saved = path;
    const trainExams = datasets.train.labels.length;
    const validExams = datasets.valid.labels.length;
    const counts = { trainExams, validExams, chosenOn };
    const resumed = from && {
      ..._resumed(from, engine),
      ...(removed.length > 0 && { removed }),
      ...(left !== undefined && { left }),
    };
    onStart?.({
      ...{ engine, seed, training, ...counts, logFolder: log.folder, flushed, lock: held.kind },
      ...(resumed && { resumed }),
    });
    const saveEvery = 60_000 * settings.saveEvery;
    let last = performance.now();
    let listed = from?.state.progress.skipped.length ?? 0;
    const { name, threads, precision } = engine;
    const tell = (report: ExamReport) => {
      running.exam(report);
      onExam?.(report);
    };
    const result = await trainFrom(model, datasets, { ...training, seed, onExam: tell }, {
      from: from && { progress: from.state.progress, optimizer: from.state.optimizer },
      due: () => performance.now() - last >= saveEvery,
      async save(progress, optimizer) {
        const state: RunState = {
          ...{
            run,
            folder: running.folder,
            config,
            labels,
            computed: { engine: name, threads, precision },
            progress,
          },
          checkpoint: checkpoint?.path && baseName(checkpoint.path),
          events: await running.position(),
          parameters: await model.stateDict(),
          optimizer,
        };
        const { skipped } = progress;
        if (skipped.length > listed) await running.configure({ ...logged, skipped });
        listed = skipped.length;
        await held.check();
        await writeRunState(path, state);
        saved = path;
        last = performance.now();
      },
      async onEpoch(report, save, skipped) {
        const settle = async () => {
          await running.epoch(report);
          await save();
        };
        // The earlier file stays until the state names the new one.
        if (report.isBest && checkpoint !== undefined) {
          const out = skipped.filter(({ split }) => split === "valid").map(({ id }) => id);
          await checkpoint.keep(model, report, settle, await chosen.hashes(new Set(out)));
        } else await settle();
        onEpoch?.(report, checkpoint?.path);
      },
      onPosition: (at) => position = at,
    });
    return { ...result, chosenOn, checkpoint: checkpoint?.path, logFolder: log.folder, seed };
  } catch (error) {
    // A fault of this toolkit is shown as it is; the user's own errors say what they still have.
    if (error instanceof MRNetError && log !== undefined) {
      error.message += _whatIsLeft(position, saved, checkpoint?.path);
    }
    throw error;
  } finally {
    model.dispose();
    await log?.close();
  }
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
  if (resume === undefined || !flushHistory) return;
  throw new OptionError(
    "Cannot go on with a run and remove the earlier logs, its own among them: leave one of the two out",
  );
}

/** What `config.json` says of a run that goes on. */
function _goneOn(
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

/** What a message says behind the failure: where it was, and what there is to go on with. */
function _whatIsLeft(position?: Position, saved?: string, checkpoint?: string): string {
  const said: string[] = [];
  if (position !== undefined) {
    const { phase, epoch, number, total, id, step } = position;
    const use = phase === "train" ? "train" : "validate";
    said.push(
      `stopped in epoch ${epoch}, step ${step}, at exam '${id}', ${number} of ${total} to ${use} on`,
    );
  }
  if (saved !== undefined) said.push(`go on with --resume '${saved}'`);
  if (checkpoint !== undefined) said.push(`the best model so far is kept in '${checkpoint}'`);
  return said.map((each) => `; ${each}`).join("");
}
