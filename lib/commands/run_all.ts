/** `cli.ts run_all`: the three planes of the three tasks and their combinations, with one table. */
import { clock, PhaseTimer } from "../logs/progress.ts";
import { fixed } from "../page/format.ts";
import { examsText, flatResults, resultsText, type TaskResult } from "../plan/run_all/results.ts";
import { TUNE_FRACTION } from "../plan/run_all/options.ts";
import type { ModelOfAll, RunAllOptions, RunAllPlan } from "../plan/run_all/options.ts";
import type { RunAllResult } from "../plan/run_all/run_all.ts";
import { runAll } from "../plan/verbs.ts";
import { optionsOf } from "../train/kept_settings.ts";
import type { ExamReport } from "../train/reports.ts";
import { Command, numberAbove, option, text, wholeNumber } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { givenSettings, settingOptions } from "./setting_options.ts";
import { TRAIN_PERMISSIONS } from "./train.ts";
import {
  epochLine,
  INTERRUPTED,
  lockRemark,
  stoppable,
  trainingDisplay,
} from "./training_display.ts";
import { WholeTime } from "./whole_time.ts";

/** The command; `exit` is told the exit code. */
export function runAllCommand(exit: (code: number) => void) {
  const command = new Command("run_all")
    .description(
      "Train the three planes of the three tasks, combine the planes, and evaluate all twelve on the\n" +
        "validation set, which decides nothing before. What is done already is not done again:\n" +
        "after an interruption, run it again; the model at hand goes on where it was.",
    )
    .addOption(
      option(
        "--tune <FRACTION>",
        "the share of training exams that is kept out to choose and to combine by",
        numberAbove(0, 1),
      ).default(TUNE_FRACTION),
    )
    .addOption(
      option(
        "--out <DIR>",
        "folder of the plan, the predictions and the report (default: LOGS/run_all/PREFIX)",
        text,
      ),
    )
    .addOption(
      option(
        "--jobs <N>",
        "train so many models side by side, as far as threads and memory allow (default: 1)",
        wholeNumber(1),
      ),
    )
    .option("--json", "print an object a line in place of the table, and nothing else");
  // Everything else is as in training one.
  for (const each of settingOptions({ single: false })) command.addOption(each);
  return command
    .addHelpText("after", TRAIN_PERMISSIONS)
    .action(async (own) => {
      const { out, jobs, json = false } = own;
      const { logEvery, ...given } = givenSettings(own);
      using interrupt = stoppable();
      try {
        const { stopped, results, leftOut, remarks, report } = await runAll({
          ...optionsOf(given),
          ...{ out, jobs },
          signal: interrupt.signal,
          ..._shown(given.epochs, logEvery!, json ? remark : print),
        });
        endProgress();
        if (stopped === "interrupted") {
          remark("Interrupted. Run the same again to go on: what is done is not done again.");
          exit(INTERRUPTED);
          return;
        }
        if (json) {
          for (const row of flatResults(results)) print(JSON.stringify(row));
        } else _printResults(results);
        remarks.forEach((each) => remark(each));
        remarkLeftOut(leftOut);
        for (const { aucs } of results) remark(`Combined: ${aucs.combined.model}`);
        remark(`Report: ${report}`);
      } finally {
        endProgress();
      }
    });
}

/** What the command shows while models are trained and evaluated. */
function _shown(
  epochs: number | undefined,
  logEvery: number,
  say: (line: string) => void,
): Partial<RunAllOptions> {
  let whole = new WholeTime({ done: 0, total: 9 });
  const inWhole = (exam: ExamReport, epochs: number) => {
    const left = whole.leftAt(exam, epochs);
    return left === undefined ? [] : [`all ${whole.total} at most ${clock(left)} left`];
  };
  const display = () => trainingDisplay(epochs, logEvery, { say, whole: inWhole });
  const timer = new PhaseTimer();
  let shown = display();
  // Of several at once only epochs are shown, each with its model.
  let jobs = 1;
  return {
    onDownload: shown.onDownload,
    onPlan(plan) {
      whole = new WholeTime({
        done: plan.done.length,
        total: plan.done.length + plan.open.length,
      });
      jobs = plan.jobs;
      _remarkPlan(plan);
    },
    onStart(model, start) {
      say(`${_ordinal(model)} ${_name(model)}`);
      epochs = start.training.epochs;
      if (jobs > 1) return;
      shown = display();
      shown.onStart(start);
    },
    onExam(_, exam) {
      if (jobs === 1) shown.onExam(exam);
    },
    onEpoch(model, epoch, checkpoint) {
      if (jobs > 1) return say(`${_ordinal(model)} ${epochLine(epoch, epochs!)}`);
      shown.onEpoch(epoch, checkpoint);
      timer.mark();
    },
    onEvaluated(model, { done, total }) {
      if (jobs > 1) return;
      const label = `evaluate ${_name(model)}`;
      showProgress({ label, done, total, unit: "exams", ...timer.at(label, done) });
    },
    onDone(model, { checkpoint }) {
      endProgress();
      const left = whole.leftAfterModel();
      const others = left === undefined ? "" : `; all others at most ${clock(left)}`;
      remark(`${_ordinal(model)} done: ${checkpoint}${others}`);
    },
  };
}

/** Says what is done already, what has to be done again, and what is to do. */
function _remarkPlan({ done, open, lost, jobs, reason, seed, out, lock }: RunAllPlan): void {
  remark(`State:  ${out}; seed ${seed}`);
  if (jobs > 1 || reason !== undefined) {
    remark(`Jobs:   ${jobs} at a time${reason === undefined ? "" : `: ${reason}`}`);
  }
  if (lock === "file") remark(lockRemark(out));
  for (const { checkpoint, found } of lost) {
    const what = found === "gone" ? "is not there" : "is not the file that was trained";
    remark(`Lost:   '${checkpoint}' ${what}: its model is trained again`);
  }
  if (done.length > 0) remark(`Done:   ${done.map(_name).join(", ")}`);
  remark(`To do:  ${open.length === 0 ? "nothing" : open.map(_name).join(", ")}`);
}

/** Prints the table, and the decisions of each combination. */
function _printResults(results: readonly TaskResult[]): void {
  print();
  print(`AUC on the ${examsText(results)} validation exams, with DeLong's 95 % interval`);
  print();
  for (const line of resultsText(results)) print(line);
  print();
  for (const { task, decisions: { sensitivity, specificity, threshold } } of results) {
    print(
      `${task.padEnd(8)}  combined, positive from ${fixed(threshold, 4)} on: sensitivity ` +
        `${fixed(sensitivity.value, 2)}, specificity ${fixed(specificity.value, 2)}`,
    );
  }
}

/** Lists the exams that could not be read. */
export function remarkLeftOut(leftOut: RunAllResult["leftOut"]): void {
  if (leftOut.length === 0) return;
  const exams = `${leftOut.length} exam${leftOut.length === 1 ? "" : "s"}`;
  remark(`Left out: ${exams} that could not be read; a patient counts only with all three`);
  for (const { plane, split, id, reason } of leftOut) {
    remark(`  ${plane}, ${split}, ${id}: ${reason}`);
  }
}

function _name({ task, plane }: ModelOfAll): string {
  return `${task} ${plane}`;
}

function _ordinal({ number, total }: ModelOfAll): string {
  return `[${number}/${total}]`;
}
