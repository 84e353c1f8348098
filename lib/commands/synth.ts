/** `cli.ts synth --out DIR`: writes a practice set of made-up knees in MRNet's layout. */
import type { PhantomDatasetOptions, PhantomDatasetSummary } from "../phantom/dataset.ts";
import { readUnfinished } from "../phantom/unfinished.ts";
import { writePhantomDataset } from "../phantom/verbs.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { drawSeed } from "../random.ts";
import { SPLITS, type Task, TASKS } from "../terms.ts";
import { Command, numberWithin, option, text, UsageError, wholeNumber } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { interruptible } from "./interrupt.ts";
import { INTERRUPTED } from "./training_display.ts";

/** `24`, or `17-61`. */
function sliceRange(given: string): [number, number] {
  const [, fewest, most = fewest] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(given) ?? [];
  if (fewest === undefined || Number(fewest) < 1 || Number(most) < Number(fewest)) {
    throw new UsageError(`invalid value: '${given}' (must be a number such as 24 or 17-61)`);
  }
  return [Number(fewest), Number(most)];
}

/** `0.7,0.5,0.4`: of abnormal knees, torn ligaments and torn menisci. */
function shares(given: string): Record<Task, number> {
  const values = given.split(",").map((each) => numberWithin(0, 1)(each));
  if (values.length === TASKS.length) {
    return Object.fromEntries(TASKS.map((task, i) => [task, values[i]])) as Record<Task, number>;
  }
  throw new UsageError(`invalid value: '${given}' (must be three shares such as 0.7,0.5,0.4)`);
}

/**
 * Makes a dataset with what a terminal shows of it.
 *
 * @returns `undefined` if Ctrl-C ended it
 */
export async function makeKnees(
  options: PhantomDatasetOptions,
): Promise<PhantomDatasetSummary | undefined> {
  using interrupt = interruptible(() => remark("Stopping after the knee at hand."));
  const timer = new PhaseTimer();
  let [done, all] = [0, 0];
  try {
    return await writePhantomDataset({ ...options, signal: interrupt.signal }, (made, total) => {
      [done, all] = [made, total];
      showProgress({ label: "knees", done, total, unit: "knees", ...timer.at("knees", done) });
    });
  } catch (error) {
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    endProgress();
    remark(
      `Interrupted: ${done} of ${all} knees are made; the same command goes on with the others.`,
    );
    return undefined;
  } finally {
    endProgress();
  }
}

/** The command; `exit` is told the exit code. */
export function synthCommand(exit: (code: number) => void) {
  return new Command("synth")
    .description(
      "Write a practice set: made-up knees with made-up injuries, in MRNet's layout. For trying,\n" +
        "testing and measuring; never for diagnosis.",
    )
    .addOption(option("--out <DIR>", "folder of the new dataset", text).makeOptionMandatory())
    .addOption(option("--train <N>", "exams to train on", wholeNumber(0, 9999)).default(60))
    .addOption(option("--valid <N>", "exams to validate on", wholeNumber(0, 9999)).default(20))
    .addOption(
      option("--size <N>", "height and width of a slice, pixels", wholeNumber(64, 1024))
        .default(256),
    )
    .addOption(
      option("--slices <N-N>", "fewest and most slices of a series", sliceRange)
        .default<[number, number]>([17, 61], "17-61"),
    )
    .addOption(
      option(
        "--prevalence <ABNORMAL,ACL,MENISCUS>",
        "shares of exams with each finding, for learning from few exams (default: MRNet's)",
        shares,
      ),
    )
    .addOption(
      option(
        "--seed <N>",
        "the same seed gives the same files (default: drawn, and printed)",
        wholeNumber(0, 2 ** 32 - 1),
      ),
    )
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=DIR --allow-write=DIR; the set -P=synth grants that for data.",
    )
    .action(async ({ out, train, valid, size, slices, prevalence, seed: given }) => {
      const begun = await readUnfinished(out);
      const seed = given ?? begun?.seed ?? drawSeed();
      remark(begun === undefined ? `Seed ${seed}` : `Seed ${seed}; goes on with what is in ${out}`);
      const summary = await makeKnees({
        ...{ folder: out, train, valid, size, slices, seed },
        prevalence: prevalence && { train: prevalence, valid: prevalence },
      });
      if (summary === undefined) return exit(INTERRUPTED);
      for (const split of SPLITS) {
        const { exams, ...findings } = summary.splits[split];
        const counts = TASKS.map((task) => `${findings[task]} ${task}`).join(", ");
        print(`${split}: ${exams} exams in three planes: ${counts}`);
      }
      print(`Wrote ${Math.ceil(summary.bytes / 1e6)} MB to ${out}; made up, never for diagnosis`);
    });
}
