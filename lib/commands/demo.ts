/**
 * `cli.ts demo`: makes a small set of made-up knees, trains on it and shows what came of it.
 *
 * @module
 */
import { labelFile, readLabels } from "../data/labels.ts";
import { writePhantomDataset } from "../data/phantom/mod.ts";
import { join } from "../files.ts";
import { commandLine } from "../invocation.ts";
import { clock } from "../logs/progress.ts";
import type { RunOptions } from "../train/run.ts";
import { Command } from "./arguments.ts";
import { endProgress, print, printLines, remark, showProgress } from "./console.ts";
import { INTERRUPTED, report, runTraining } from "./training_display.ts";

/** The set: small slices and few of them, and as many torn ligaments as whole ones. */
const KNEES = {
  train: 64,
  valid: 40,
  size: 96,
  slices: [6, 6],
  seed: 2018,
  prevalence: {
    train: { abnormal: 0.7, acl: 0.5, meniscus: 0.3 },
    valid: { abnormal: 0.7, acl: 0.5, meniscus: 0.3 },
  },
} as const;

/**
 * The training. The reference's learning rate is for weights that already know images and for hundreds
 * of thousands of steps; from random weights, in two hundred steps, a higher one and no augmentation
 * get somewhere.
 */
const TRAINING = {
  task: "acl",
  plane: "sagittal",
  prefix: "demo",
  weights: "none",
  learningRate: 5e-5,
  augment: false,
  epochs: 3,
  // Three epochs are over before a schedule could act.
  schedule: "none",
  seed: 2018,
  inMemory: true,
} as const satisfies RunOptions;

/** The command; `exit` is told the exit code. */
export function demoCommand(exit: (code: number) => void) {
  return new Command("demo")
    .description("Make a small set of made-up knees, train on it, show what came of it.")
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models,logs --allow-write=data,models,logs",
    )
    .action(async () => {
      const start = performance.now();
      const data = join("data", "demo");
      await _makeKnees(data);
      const result = await runTraining({ ...TRAINING, data }, Infinity);
      print();
      report(result);
      if (result.stopped === "interrupted") return exit(INTERRUPTED);
      const exam = join(data, "valid", TRAINING.plane, `${await _tornKnee(data)}.npy`);
      printLines(
        `\nThe AUC is over ${KNEES.valid} made-up knees that the model was not trained on; it took ` +
          `${clock((performance.now() - start) / 1000)} from random weights.\n` +
          "Made-up knees are for trying things out: the figure says nothing about real ones.\n",
      );
      for (const line of nextSteps({ data, exam, model: result.checkpoint })) print(line);
    });
}

/**
 * What to do with the model that was made: each line is a command that can be typed as it stands, under
 * what it does.
 *
 * @param made the dataset's folder, an exam of it, and the model's file, if one was kept
 */
export function nextSteps(
  { data, exam, model }: { data: string; exam: string; model?: string },
): string[] {
  const steps: [what: string, command: string][] = model === undefined ? [] : [
    [
      "how good it is, as a page with its curves and intervals",
      commandLine("evaluate", "--model", model, "--data", data, "--out", "reports/demo"),
    ],
    [
      "what it says of one knee, and where it looked",
      commandLine("predict", "--model", model, exam, "--cam", "cam"),
    ],
    [
      "the knees in a browser, with what it says of each",
      commandLine("serve", "--data", data, "--models", model),
    ],
  ];
  steps.push(
    ["a set of your own, and what else there is for it", commandLine("synth", "--help")],
    ["all options", commandLine("--help")],
  );
  return [
    "Next:",
    ...steps.flatMap(([what, command]) => [`  ${what}:`, `    ${command}`]),
    "data/README.md says where MRNet itself goes.",
  ];
}

/** The first validation exam with the finding. */
async function _tornKnee(data: string): Promise<string> {
  const labels = await readLabels(labelFile(data, "valid", TRAINING.task));
  return (labels.find(({ label }) => label === 1) ?? labels[0]).id;
}

/** Makes the set, or uses the one an earlier demo made: label files are written last. */
async function _makeKnees(data: string): Promise<void> {
  const last = labelFile(data, "valid", "meniscus");
  if (await Deno.stat(last).then(() => true, () => false)) {
    remark(`Knees:  those that are in ${data} already`);
    return;
  }
  // What an interrupted demo left is worth nothing; the folder is the demo's own.
  await Deno.remove(data, { recursive: true }).catch(() => {});
  const start = performance.now();
  const total = KNEES.train + KNEES.valid;
  remark(`Knees:  making ${total} of them in ${data}`);
  await writePhantomDataset({ folder: data, ...KNEES }, (done) => {
    const seconds = (performance.now() - start) / 1000;
    showProgress({ label: "knees", done, total, seconds, unit: "knees" });
  });
  endProgress();
}
