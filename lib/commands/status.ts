/** `cli.ts status PLAN`: which units of a plan are done, and why others failed. */
import { planStatus } from "../plan/gather.ts";
import { Command } from "./arguments.ts";
import { print, remark } from "./console.ts";

/** The command. */
export function statusCommand() {
  return new Command("status")
    .description(
      "Say which units of a plan are done, and which failed, by the files that they leave.",
    )
    .argument("<PLAN>", "folder of the plan")
    .option("--json", "print an object a line for each unit, and nothing else")
    .addHelpText("after", "\nPermissions: --allow-read=PLAN")
    .action(async (folder, { json = false }) => {
      const { plan, units } = await planStatus(folder);
      if (json) {
        for (const unit of units) print(JSON.stringify(unit));
        return;
      }
      const open = units.filter(({ done }) => !done);
      const failed = units.filter((unit) => unit.failed !== undefined);
      print(
        `${plan.kind}: ${units.length - open.length} of ${units.length} units are done` +
          (failed.length === 0 ? "" : `, ${failed.length} failed`),
      );
      for (const { index, id, failed } of open) {
        if (failed === undefined) remark(`  to do: ${index} (${id})`);
        else remark(`  failed: ${index} (${id}): ${failed}`);
      }
    });
}
