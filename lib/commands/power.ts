/** `cli.ts power`: how many exams an evaluation needs. */
import { examsForDifference, examsForInterval } from "../metrics/power.ts";
import type { DifferenceGoal, IntervalGoal } from "../metrics/power.ts";
import { Command, numberAbove, numberWithin, option, UsageError } from "./arguments.ts";
import { print } from "./console.ts";

/** A share, neither none nor all. */
const SHARE = numberAbove(0, 1);

/** The command. */
export function powerCommand() {
  return new Command("power")
    .description(
      "Say how many exams an AUC needs: for an interval of a width, or to find the difference of two\n" +
        "models on the same exams.",
    )
    .addOption(option("--auc <NUMBER>", "the AUC that is expected", SHARE).makeOptionMandatory())
    .addOption(
      option("--width <NUMBER>", "how wide its interval may be, from end to end", SHARE),
    )
    .addOption(
      option("--against_auc <NUMBER>", "the AUC of another model on the same exams", SHARE),
    )
    .addOption(
      option("--prevalence <NUMBER>", "the share of exams with the finding", SHARE).default(0.5),
    )
    .addOption(option("--level <NUMBER>", "the level of the interval", SHARE).default(0.95))
    .addOption(
      option("--power <NUMBER>", "the chance to find the difference", SHARE).default(0.8),
    )
    .addOption(
      option(
        "--correlation <NUMBER>",
        "of the two AUCs, 0 to below 1: how much both models find the same exams hard",
        numberWithin(0, 0.999),
      ).default(0.5),
    )
    .option("--json", "print one JSON object in place of the lines")
    .addHelpText("after", "\nPermissions: none")
    .action(({ json, against_auc, width, ...given }) => {
      const { positives, negatives, goal } = _answer({ ...given, otherAuc: against_auc, width });
      if (json) {
        return print(JSON.stringify({ exams: positives + negatives, positives, negatives }));
      }
      print(
        `${positives + negatives} exams, ${positives} with the finding and ${negatives} without it`,
      );
      print(goal);
    });
}

type _Given =
  & Required<Omit<IntervalGoal & DifferenceGoal, "width" | "otherAuc">>
  & { width?: number; otherAuc?: number };

/** How many exams, and for what. */
function _answer({ width, otherAuc, ...given }: _Given) {
  const { auc, level, power, correlation } = given;
  const percent = `${Number((100 * level).toFixed(2))} %`;
  if ((width === undefined) === (otherAuc === undefined)) {
    throw new UsageError("one of the arguments --width and --against_auc is required, not both");
  }
  if (width !== undefined) {
    const exams = examsForInterval({ ...given, width });
    const goal = `give an AUC of ${auc} a ${percent} interval no wider than ${width}, that is ` +
      `±${Number((width / 2).toFixed(6))} (Hanley and McNeil, 1982)`;
    return { ...exams, goal };
  }
  if (otherAuc === auc) {
    throw new UsageError(`argument --against_auc: invalid value: ${auc} (must differ from --auc)`);
  }
  const exams = examsForDifference({ ...given, otherAuc: otherAuc! });
  const goal = `find the difference of AUCs of ${auc} and ${otherAuc} on the same exams with a ` +
    `chance of ${power}, at a level of ${percent} and a correlation of ${correlation} ` +
    "(Obuchowski and McClish, 1997)";
  return { ...exams, goal };
}
