/** `cli.ts gather PLAN`: the results of a plan's units, put together. */
import { join } from "../files.ts";
import { fixed, range } from "../page/format.ts";
import { type Gathered, gatherPlan } from "../plan/gather.ts";
import type { GatheredAuc } from "../plan/gathered.ts";
import { resultsText } from "../plan/run_all/results.ts";
import { Command } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { remarkLeftOut } from "./run_all.ts";

/** How many exams that could not be read are named. */
const MAX_NAMED = 20;

/** The command. */
export function gatherCommand() {
  return new Command("gather")
    .description(
      "Put the results of a plan's units together: results.json, report.html, predictions and " +
        "combinations in its folder. Units that are not done are named.",
    )
    .argument("<PLAN>", "folder of the plan")
    .addHelpText("after", "\nPermissions: --allow-read=PLAN --allow-write=PLAN")
    .action(async (folder) => {
      const gathered = await gatherPlan(folder);
      _print(gathered);
      if (gathered.kind !== "score") gathered.remarks.forEach((each) => remark(each));
      remark(`Results: ${join(folder, "results.json")}`);
      if (gathered.kind === "score") remark(`Table:   ${gathered.predictions}`);
      else remark(`Report:  ${gathered.report}`);
    });
}

function _print(gathered: Gathered): void {
  switch (gathered.kind) {
    case "score": {
      const { exams, unreadable } = gathered;
      print(`${exams} exams, ${unreadable.length} of which could not be read`);
      for (const { id, reason } of unreadable.slice(0, MAX_NAMED)) remark(`  ${id}: ${reason}`);
      if (unreadable.length > MAX_NAMED) {
        remark(`  and ${unreadable.length - MAX_NAMED} more, in unreadable.csv`);
      }
      return;
    }
    case "all":
      for (const line of resultsText(gathered.results)) print(line);
      remarkLeftOut(gathered.leftOut);
      return;
    case "trainings":
      for (const line of _lines(gathered.aucs)) print(line);
      for (const { exams, task, plane, setting, seeds, mean, sd } of gathered.seeds) {
        print(
          `${exams}, ${task} ${plane}, ${setting}: ${seeds} seeds, ${mean.toFixed(3)} ± ` +
            sd.toFixed(3),
        );
      }
      for (const { exams, task, plane, setting, against, difference, p } of gathered.comparisons) {
        const [by, chance] = [fixed(difference ?? NaN, 3), fixed(p ?? NaN, 3)];
        print(`${exams}, ${task} ${plane}: ${setting} less ${against} is ${by}, p = ${chance}`);
      }
      return;
    default:
      gathered satisfies never;
  }
}

/** A line for each AUC that is not of a single fold. */
function _lines(aucs: readonly GatheredAuc[]): string[] {
  const rows = aucs.filter(({ exams }) => exams !== "fold").map((each) => [
    ...[each.exams, `${each.task} ${each.plane}`, each.setting],
    each.seed === null ? "all seeds" : `seed ${each.seed}`,
    `${each.positives} of ${each.count}`,
    `${fixed(each.auc ?? NaN, 3)} (${
      range({ low: each.auc_low ?? NaN, high: each.auc_high ?? NaN }, 3)
    })`,
  ]);
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at].length))) ?? [];
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at])).join("  ").trimEnd());
}
