/** `cli.ts demo`: makes a small set of made-up knees, trains on it and shows what came of it. */
import { labelFile, readLabels } from "../data/labels.ts";
import { readUnfinished } from "../phantom/unfinished.ts";
import { join } from "../files.ts";
import { commandLine } from "../invocation.ts";
import { clock } from "../logs/progress.ts";
import type { RunOptions } from "../train/run.ts";
import { Command } from "./arguments.ts";
import { print, printLines, remark } from "./console.ts";
import { makeKnees } from "./synth.ts";
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
      if (!await _makeKnees(data)) return exit(INTERRUPTED);
      const result = await runTraining({ ...TRAINING, data }, Infinity);
      print();
      report(result);
      if (result.stopped === "interrupted") return exit(INTERRUPTED);
      const exam = join(data, "valid", TRAINING.plane, `${await _tornKnee(data)}.npy`);
      printLines(
        `\nThe AUC is over ${KNEES.valid} made-up knees that the model was not trained on; it took ` +
          `${clock((performance.now() - start) / 1000)} from random weights.\n` +
          "Made-up knees are for trying things out: the metric says nothing about real ones.\n",
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

/**
 * Makes the set, goes on with one that an earlier demo began, or uses the one it made: label files are
 * written last.
 *
 * @returns false if Ctrl-C ended it
 */
async function _makeKnees(data: string): Promise<boolean> {
  const last = labelFile(data, "valid", "meniscus");
  if (await Deno.stat(last).then(() => true, () => false)) {
    remark(`Knees:  those that are in ${data} already`);
    return true;
  }
  // What an earlier version's demo left unfinished is worth nothing; the folder is the demo's own.
  if (await readUnfinished(data) === undefined) {
    await Deno.remove(data, { recursive: true }).catch(() => {});
  }
  remark(`Knees:  making ${KNEES.train + KNEES.valid} of them in ${data}`);
  return await makeKnees({ folder: data, ...KNEES }) !== undefined;
}
