/** The display of a training on a terminal, and its end at Ctrl-C. */
import type { ExamChecks } from "../data/survey.ts";
import { slicesText } from "../data/tally.ts";
import { describeEngine } from "../engine/engine.ts";
import { join } from "../files.ts";
import { clock, PhaseTimer, type Progress } from "../logs/progress.ts";
import { CURVES_FILE } from "../logs/run_folder.ts";
import { describeRecipe } from "../model/recipe.ts";
import { TRAIN_DEFAULTS } from "../train/resolve.ts";
import { whyNeverActs } from "../train/schedule.ts";
import type { ResumedRun, RunOptions, RunResult } from "../train/run.ts";
import type { EpochReport, ExamReport } from "../train/reports.ts";
import { endProgress, isWatched, print, remark, showProgress } from "./console.ts";
import { type Interrupt, interruptible } from "./interrupt.ts";

/** The process's exit code after Ctrl-C, as shells count it. */
export const INTERRUPTED = 130;

/** Trains, and shows the training on the terminal. */
export async function runTraining(options: RunOptions, logEvery: number): Promise<RunResult> {
  using interrupt = stoppable();
  try {
    const { trainRun } = await import("../train/run.ts");
    const display = trainingDisplay(options.epochs, logEvery);
    return await trainRun({
      ...options,
      ...display,
      onStart(start) {
        display.onStart(start);
        options.onStart?.(start);
      },
      signal: interrupt.signal,
    });
  } finally {
    endProgress();
  }
}

/** Ctrl-C ends a training after the exam at hand. */
export function stoppable(): Interrupt {
  return interruptible(() =>
    remark("Stopping after the exam at hand; press Ctrl-C again to stop at once.")
  );
}

/** Options of a training's display. */
export interface DisplayOptions {
  /**
   * Where the line of each epoch goes.
   * @default standard output
   */
  say?: (line: string) => void;
  /** More words for the progress line, about the whole that the training belongs to. */
  whole?: (exam: ExamReport, epochs: number) => string[];
}

/**
 * What a terminal shows of a training: lines that stay, and one that follows it.
 *
 * @param epochs at most so many, as training takes it
 * @param logEvery a line after so many exams
 */
export function trainingDisplay(
  epochs: number = TRAIN_DEFAULTS.epochs,
  logEvery: number,
  { say = print, whole }: DisplayOptions = {},
) {
  const timer = new PhaseTimer();
  return {
    onDownload(received, total) {
      const megabytes = (bytes: number) => Math.round(bytes / 1e6);
      const done = megabytes(received);
      showProgress({
        ...{ label: "ImageNet weights", done, total: megabytes(total ?? received), unit: "MB" },
        ...timer.at("weights", done),
      });
    },
    onStart(start) {
      const { engine, seed, training, trainExams, validExams, chosenOn, checks, flushed, resumed } =
        start;
      epochs = training.epochs;
      remark(`Engine: ${describeEngine(engine)}`);
      remark(`Recipe: ${describeRecipe(training.recipe, training, training)}`);
      const others = chosenOn === "valid"
        ? `${validExams} to validate on; seed ${seed}`
        : `${validExams} kept out of training to validate on; seed ${seed}`;
      remark(`Exams:  ${trainExams} to train on, ${others}`);
      if (checks !== undefined) remark(`Checks: ${checksText(checks)}`);
      if (flushed > 0) remark(`Removed the logs of ${flushed} earlier runs`);
      remark(`Logs:   ${start.logFolder}`);
      const idle = whyNeverActs(training);
      if (idle !== undefined) remark(`Note:   ${idle}`);
      if (start.lock === "file") remark(lockRemark(start.logFolder));
      if (resumed !== undefined) _tellResumed(resumed);
      timer.mark();
    },
    onExam(exam) {
      const time = timer.at(`${exam.epoch} ${exam.phase}`, exam.done);
      _follow(exam, epochs, logEvery, { ...time, details: whole?.(exam, epochs) });
    },
    onEpoch(epoch, checkpoint) {
      say(epochLine(epoch, epochs));
      if (epoch.isBest && checkpoint !== undefined) remark(`Kept ${checkpoint}`);
      const { unreached } = epoch;
      if (epoch.isBest && unreached !== undefined) remark(`${unreached}: Youden’s index chose it`);
      timer.mark();
    },
  } satisfies Partial<RunOptions>;
}

/** The remark about a folder whose file system has no locks. */
export function lockRemark(folder: string): string {
  return `The file system of ${folder} gives no locks: a file, run.owner.N, keeps other processes out; ` +
    "after a kill it does so for ten minutes";
}

/** What the training exams look like, in one line. */
export function checksText(checks: ExamChecks): string {
  const { exams, total, positives, slices, sizes, mean, deviation, oddities } = checks;
  const odd = oddities.map(({ found }) => found).join("; ");
  return [
    `${exams === total ? total : `${exams} of ${total}`} training exams, ` +
    `${(100 * positives / total).toFixed(0)} % with the finding`,
    ...exams === 0 ? [] : [
      `${slicesText(slices)} slices of ${sizes.join(" or ")}`,
      `grey values ${mean.toFixed(1)} ± ${deviation.toFixed(1)}`,
    ],
    odd === "" ? "nothing is odd" : `odd: ${odd} (doctor tells more)`,
  ].join("; ");
}

function _tellResumed(run: ResumedRun): void {
  const { epochs, done: { train, valid }, elsewhere, removed = [], left } = run;
  const exams = train === 0 ? "" : `, and ${train} training and ${valid} validation exams`;
  remark(`Goes on after ${epochs} epoch${epochs === 1 ? "" : "s"}${exams}`);
  for (const path of removed) remark(`Removed ${path}, a model of this run that it no longer has`);
  if (left !== undefined) {
    remark(`${left} stays, also when a better model is kept: nothing shows that it is this run's`);
  }
  if (elsewhere === undefined) return;
  remark(
    `So far it was computed on ${elsewhere}: it goes on from the same state, but not with the same ` +
      "bits as if it had not been stopped",
  );
}

function _follow(
  exam: ExamReport,
  epochs: number,
  logEvery: number,
  { details = [], ...time }: Pick<Progress, "seconds" | "before" | "details">,
): void {
  const { phase, epoch, done, total, meanLoss, auc, learningRate } = exam;
  if (phase === "train" && done % logEvery === 0) {
    remark(
      `[Epoch: ${epoch} / ${epochs} | Single batch number : ${done} / ${total}] | ` +
        `avg train loss ${meanLoss.toFixed(4)} | train auc : ${_aucText(auc)} | ` +
        `lr : ${learningRate}`,
    );
  }
  if (!isWatched()) return;
  showProgress({
    label: `epoch ${epoch}/${epochs} ${phase}`,
    ...{ done, total, unit: "exams", ...time },
    details: [...details, `loss ${meanLoss.toFixed(4)}`, `auc ${_aucText(auc)}`],
  });
}

/** An AUC of one class is undefined, and says so. */
function _aucText(auc: number): string {
  return Number.isNaN(auc) ? "undefined" : auc.toFixed(4);
}

/** The line after an epoch, in the original script's words. */
export function epochLine(report: EpochReport, epochs: number): string {
  const { epoch, trainLoss, trainAuc, valLoss, valAuc, seconds } = report;
  return `epoch ${epoch} / ${epochs} | train loss : ${trainLoss.toFixed(4)} | ` +
    `train auc ${_aucText(trainAuc)} | val loss ${valLoss.toFixed(4)} | ` +
    `val auc ${_aucText(valAuc)} | elapsed time ${clock(seconds)}`;
}

/** Shows the result of a run. */
export function report(result: RunResult): void {
  const { epochs, best, chosenOn, checkpoint, logFolder, stopped } = result;
  const set = chosenOn === "valid" ? "validation" : "tune";
  if (stopped === "early") remark(`Stopped early: the ${set} loss no longer improves.`);
  if (stopped === "interrupted") {
    remark("The state is saved: go on with --resume.");
    remark(`Interrupted in epoch ${epochs.length + 1}.`);
  }
  const none = epochs.length === 0
    ? "No epoch was completed."
    : `No epoch reached a ${set} AUC above 0.`;
  print(
    best === undefined ? none : `Best ${set} AUC ${best.valAuc.toFixed(4)} in epoch ${best.epoch}`,
  );
  print(`Checkpoint: ${checkpoint ?? "none was kept"}`);
  print(`Logs:       ${logFolder}`);
  if (epochs.length > 0) print(`Curves:     ${join(logFolder, CURVES_FILE)}, to open in a browser`);
  if (result.skipped === undefined) return;
  const count = result.skipped.length;
  print(`Left out:   ${count} exam${count === 1 ? "" : "s"} that could not be read`);
  for (const { split, id, reason } of result.skipped) {
    print(`  ${split === "train" ? "to train on" : "to validate on"}, ${id}: ${reason}`);
  }
}
