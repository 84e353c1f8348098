/** `cli.ts submit PLAN --engine ENGINE`: hands the units of a plan over to a scheduler or a queue. */
import { commandLine } from "../invocation.ts";
import { SUBMIT_ENGINE_NAMES } from "../plan/engines/engines.ts";
import { rangesOf } from "../plan/engines/ranges.ts";
import { submitPlan } from "../plan/submit.ts";
import { choice, Command, option } from "./arguments.ts";
import { print, remark } from "./console.ts";

/** The command. */
export function submitCommand() {
  return new Command("submit")
    .description(
      "Hand the units of a plan over to a cluster: those that are neither done nor there already. " +
        "The same call again adds nothing.",
    )
    .argument("<PLAN>", "folder of the plan")
    .argument(
      "[OPTIONS...]",
      "slurm: options of sbatch, after --: -- --partition=long --time=4:00:00",
    )
    .addOption(
      option(
        `--engine <{${SUBMIT_ENGINE_NAMES.join(",")}}>`,
        "what does the units",
        choice(SUBMIT_ENGINE_NAMES),
      ).makeOptionMandatory(),
    )
    .option("--print", "only write the files and print the commands that hand the units over")
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=PLAN --allow-write=PLAN, and\n" +
        "--allow-run=sbatch,squeue,scontrol unless --print is given.",
    )
    .action(async (folder, given, { engine, print: printed }) => {
      const { done, queued, submitted, files, jobs, commands } = await submitPlan(folder, {
        ...{ engine, print: printed },
        ...(given.length > 0 && { sbatch: given }),
      });
      for (const file of files) remark(`Wrote ${file}`);
      for (const command of commands) print(command);
      if (done.length > 0) remark(`Done:         units ${rangesOf(done)}`);
      if (queued.length > 0) remark(`In the queue: units ${rangesOf(queued)}`);
      for (const job of jobs) print(job);
      if (jobs.length > 0 || commands.length > 0) return;
      print("Nothing was submitted.");
      if (submitted.length + queued.length === 0) {
        remark(`Gather: ${commandLine("gather", folder)}`);
      }
    });
}
