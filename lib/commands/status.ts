/** `cli.ts status PLAN`: which units of a plan are done. */
import { planStatus } from "../plan/gather.ts";
import { Command } from "./arguments.ts";
import { print, remark } from "./console.ts";

/** The command. */
export function statusCommand() {
  return new Command("status")
    .description("Say which units of a plan are done, by the files that they leave.")
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
      print(`${plan.kind}: ${units.length - open.length} of ${units.length} units are done`);
      for (const { index, id } of open) remark(`  to do: ${index} (${id})`);
    });
}
