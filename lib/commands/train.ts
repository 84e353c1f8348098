/**
 * `cli.ts -t TASK -p PLANE`: trains one classifier. The options are the original script's.
 *
 * @module
 */
import { describeEngine, ENGINE_CHOICES } from "../engine/engine.ts";
import { clock } from "../logs/progress.ts";
import { TASKS } from "../terms.ts";
import { isPrefix, PREFIX_RULE } from "../train/checkpoint.ts";
import { TRAIN_DEFAULTS } from "../train/options.ts";
import { type RunOptions, type RunResult, trainClassifier } from "../train/run.ts";
import type { ScheduleName } from "../train/schedule.ts";
import type { EpochReport, ExamReport } from "../train/trainer.ts";
import {
  choice,
  Command,
  numberAbove,
  option,
  text,
  UsageError,
  wholeNumber,
  zeroOrOne,
} from "./arguments.ts";
import { endProgress, isWatched, print, remark, showProgress } from "./console.ts";
import { interruptible } from "./interrupt.ts";

/** The process's exit code after Ctrl-C, as shells count it. */
export const INTERRUPTED = 130;

/** The schedules under the names and numbers of the original script. */
const SCHEDULE_WORDS = { "0": "none", "1": "plateau", plateau: "plateau", step: "step" } as const;

const SEED_RANGE = 2 ** 32 - 1;

function scheduleName(given: string): ScheduleName {
  const words = Object.keys(SCHEDULE_WORDS) as (keyof typeof SCHEDULE_WORDS)[];
  return SCHEDULE_WORDS[choice(words)(given)];
}

function prefixName(given: string): string {
  if (isPrefix(given)) return given;
  throw new UsageError(`invalid value: '${given}' (${PREFIX_RULE})`);
}

/** The command; `exit` is told the exit code. */
export function trainCommand(exit: (code: number) => void) {
  const flag = <const F extends string>(name: F, description: string, byDefault: boolean) =>
    option(`${name} <{0,1}>`, description, zeroOrOne).default(byDefault, byDefault ? "1" : "0");
  return new Command("train")
    .description(
      "Train one classifier: one finding, one plane. This is what cli.ts does by itself.",
    )
    .addOption(
      option("-t, --task <{abnormal,acl,meniscus}>", "the finding to predict", choice(TASKS))
        .makeOptionMandatory(),
    )
    .addOption(
      option(
        "-p, --plane <{sagittal,coronal,axial}>",
        "the plane to read",
        choice(["sagittal", "coronal", "axial"]),
      ).makeOptionMandatory(),
    )
    .addOption(
      option("--prefix_name <PREFIX>", "begins the checkpoint's name", prefixName)
        .default("mrnet"),
    )
    .addOption(flag("--augment", "rotate, shift and flip the training exams at random", true))
    .addOption(
      option(
        "--lr_scheduler <{0,1,plateau,step}>",
        "how the learning rate falls; 1 is plateau, 0 is not at all",
        scheduleName,
      ).default<ScheduleName>("plateau"),
    )
    .addOption(
      option("--gamma <NUMBER>", "factor of the step scheduler, every 3 epochs", numberAbove(0))
        .default(TRAIN_DEFAULTS.gamma),
    )
    .addOption(
      option("--epochs <N>", "at most so many epochs", wholeNumber(1))
        .default(TRAIN_DEFAULTS.epochs),
    )
    .addOption(
      option("--lr <NUMBER>", "learning rate at the start", numberAbove(0))
        .default(TRAIN_DEFAULTS.learningRate, "1e-5"),
    )
    .addOption(flag("--flush_history", "remove earlier logs of this task and plane first", false))
    .addOption(flag("--save_model", "keep the best model", true))
    .addOption(
      option("--patience <N>", "stop after so many epochs without lower loss", wholeNumber(1))
        .default(TRAIN_DEFAULTS.patience),
    )
    .addOption(
      option("--log_every <N>", "a line after so many exams", wholeNumber(1)).default(100),
    )
    .addOption(option("--data <DIR>", "folder of the dataset", text).default("data"))
    .addOption(option("--models <DIR>", "folder of the checkpoints", text).default("models"))
    .addOption(option("--logs <DIR>", "folder of the logs", text).default("logs"))
    .addOption(
      option(
        "--weights <{imagenet,none,FILE,URL}>",
        "what to start from; FILE is .pth, .pt or .safetensors",
        text,
      ).default("imagenet"),
    )
    .addOption(
      option(
        "--backend <{auto,webgpu,wasm,cpu}>",
        "the engine to compute on",
        choice(ENGINE_CHOICES),
      ).default("auto" as const),
    )
    .addOption(
      option(
        "--threads <N>",
        "threads of the wasm engine (default: the processor's cores, at most 16)",
        wholeNumber(1),
      ),
    )
    .addOption(flag("--shuffle", "visit the exams in a new order each epoch", true))
    .addOption(
      option(
        "--seed <N>",
        "for weights, order and augmentation (default: drawn, and printed)",
        wholeNumber(0, SEED_RANGE),
      ),
    )
    .addOption(flag("--in_memory", "keep the exams in memory once they are read", false))
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models,logs --allow-write=models,logs, and\n" +
        "--allow-net=download.pytorch.org to fetch the ImageNet weights the first time.",
    )
    .action(async (given) => {
      const result = await runTraining({
        task: given.task,
        plane: given.plane,
        prefix: given.prefix_name,
        augment: given.augment,
        schedule: given.lr_scheduler,
        gamma: given.gamma,
        epochs: given.epochs,
        learningRate: given.lr,
        flushHistory: given.flush_history,
        saveModel: given.save_model,
        patience: given.patience,
        data: given.data,
        models: given.models,
        logs: given.logs,
        weights: given.weights,
        engine: given.backend,
        threads: given.threads,
        shuffle: given.shuffle,
        seed: given.seed,
        inMemory: given.in_memory,
      }, given.log_every);
      report(result);
      if (result.stopped === "interrupted") exit(INTERRUPTED);
    });
}

/** Trains with what a terminal shows of it. */
export async function runTraining(options: RunOptions, logEvery: number): Promise<RunResult> {
  const epochs = options.epochs ?? TRAIN_DEFAULTS.epochs;
  using interrupt = interruptible(() =>
    remark("Stopping after the exam at hand; press Ctrl-C again to stop at once.")
  );
  let phaseStart = performance.now();
  // An epoch half begins where what came before it ends, not when its first exam is done.
  let before = phaseStart;
  try {
    return await trainClassifier({
      ...options,
      signal: interrupt.signal,
      onDownload(received, total) {
        const megabytes = (bytes: number) => Math.round(bytes / 1e6);
        showProgress({
          label: "ImageNet weights",
          done: megabytes(received),
          total: megabytes(total ?? received),
          seconds: (performance.now() - phaseStart) / 1000,
          unit: "MB",
        });
      },
      onStart({ engine, seed, trainExams, validExams, logFolder, flushed }) {
        remark(`Engine: ${describeEngine(engine)}`);
        remark(`Exams:  ${trainExams} to train on, ${validExams} to validate on; seed ${seed}`);
        if (flushed > 0) remark(`Removed the logs of ${flushed} earlier runs`);
        remark(`Logs:   ${logFolder}`);
        before = performance.now();
      },
      onExam(exam) {
        if (exam.done === 1) phaseStart = before;
        before = performance.now();
        _follow(exam, epochs, (before - phaseStart) / 1000, logEvery);
      },
      onEpoch(epoch, checkpoint) {
        print(epochLine(epoch, epochs));
        if (epoch.isBest && checkpoint !== undefined) remark(`Kept ${checkpoint}`);
        before = performance.now();
      },
    });
  } finally {
    endProgress();
  }
}

function _follow(exam: ExamReport, epochs: number, seconds: number, logEvery: number): void {
  const { phase, epoch, done, total, meanLoss, auc, learningRate } = exam;
  if (phase === "train" && done % logEvery === 0) {
    remark(
      `[Epoch: ${epoch} / ${epochs} | Single batch number : ${done} / ${total}] | ` +
        `avg train loss ${meanLoss.toFixed(4)} | train auc : ${_figure(auc)} | ` +
        `lr : ${learningRate}`,
    );
  }
  if (!isWatched()) return;
  showProgress({
    label: `epoch ${epoch}/${epochs} ${phase}`,
    done,
    total,
    seconds,
    unit: "exams",
    details: [`loss ${meanLoss.toFixed(4)}`, `auc ${_figure(auc)}`],
  });
}

/** An AUC of one class is undefined, and says so. */
function _figure(auc: number): string {
  return Number.isNaN(auc) ? "undefined" : auc.toFixed(4);
}

/** The line after an epoch, in the original script's words. */
export function epochLine(report: EpochReport, epochs: number): string {
  const { epoch, trainLoss, trainAuc, valLoss, valAuc, seconds } = report;
  return `epoch ${epoch} / ${epochs} | train loss : ${trainLoss.toFixed(4)} | ` +
    `train auc ${_figure(trainAuc)} | val loss ${valLoss.toFixed(4)} | ` +
    `val auc ${_figure(valAuc)} | elapsed time ${clock(seconds)}`;
}

/** What a run came to. */
export function report({ epochs, best, checkpoint, logFolder, stopped }: RunResult): void {
  if (stopped === "early") remark("Stopped early: the validation loss no longer improves.");
  if (stopped === "interrupted") remark(`Interrupted in epoch ${epochs.length + 1}.`);
  const none = epochs.length === 0
    ? "No epoch was completed."
    : "No epoch reached a validation AUC above 0.";
  print(
    best === undefined
      ? none
      : `Best validation AUC ${best.valAuc.toFixed(4)} in epoch ${best.epoch}`,
  );
  print(`Checkpoint: ${checkpoint ?? "none was kept"}`);
  print(`Logs:       ${logFolder}`);
}
