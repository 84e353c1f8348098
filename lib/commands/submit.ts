/** `cli.ts submit PLAN --engine ENGINE`: hands the units of a plan over to a scheduler or a queue. */
import { commandLine, queueCommandLine } from "../invocation.ts";
import { SUBMIT_ENGINE_NAMES } from "../plan/engines/engines.ts";
import { APP, MEMORY } from "../plan/engines/kubernetes.ts";
import { rangesOf } from "../plan/engines/ranges.ts";
import { submitPlan } from "../plan/submit.ts";
import { choice, Command, option, repeatedOption, text } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { redisGiven, redisOptions } from "./redis_options.ts";

/** The command. */
export function submitCommand() {
  const [redisOption, queueOption] = redisOptions("bullmq: ");
  return new Command("submit")
    .description(
      "Hand the units of a plan over to a cluster or a queue: those that are neither done nor there already. " +
        "The same call again adds nothing.",
    )
    .argument("<PLAN>", "folder of the plan")
    .argument(
      "[OPTIONS...]",
      "slurm: behind --, options of sbatch such as --partition=long",
    )
    .addOption(
      option(
        `--engine <{${SUBMIT_ENGINE_NAMES.join(",")}}>`,
        "what does the units",
        choice(SUBMIT_ENGINE_NAMES),
      ).makeOptionMandatory(),
    )
    .option("--print", "only write the files and print the commands that hand the units over")
    .addOption(redisOption)
    .addOption(queueOption)
    .addOption(option("--image <IMAGE>", "kubernetes: image with Deno and the toolkit", text))
    .addOption(
      repeatedOption(
        "--claim <NAME=PATH>",
        "kubernetes: a persistent volume claim and where units see it; may be repeated",
        text,
      ),
    )
    .addOption(
      option(
        "--workdir <DIR>",
        "kubernetes: folder that the plan's paths start from (default: the first claim's PATH)",
        text,
      ),
    )
    .addOption(
      option(
        "--app <DIR>",
        `kubernetes: folder of the toolkit in the image (default: ${APP})`,
        text,
      ),
    )
    .addOption(
      option("--memory <SIZE>", `kubernetes: memory of a unit (default: ${MEMORY})`, text),
    )
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=PLAN --allow-write=PLAN, and unless --print is given\n" +
        "--allow-run=sbatch,squeue,scontrol for Slurm, --allow-net=HOST:PORT --allow-env for BullMQ.\n" +
        `BullMQ is in a lock file of its own:\n  ${queueCommandLine("submit")}`,
    )
    .action(async (folder, given, { print: printed, claim, redis, ...own }) => {
      const { done, queued, submitted, files, jobs, commands, next } = await submitPlan(folder, {
        ...{ ...own, print: printed, claims: claim },
        redis: own.engine === "bullmq" ? redisGiven(redis) : redis,
        ...(given.length > 0 && { sbatch: given }),
      });
      for (const file of files) remark(`Wrote ${file}`);
      for (const command of commands) print(command);
      if (done.length > 0) remark(`Done:         units ${rangesOf(done)}`);
      if (queued.length > 0) remark(`In the queue: units ${rangesOf(queued)}`);
      for (const job of jobs) print(job);
      for (const command of next ?? []) remark(`Then: ${command}`);
      if (jobs.length > 0) remark(`Status: ${commandLine("status", folder)}`);
      if (jobs.length > 0 || commands.length > 0) return;
      print("Nothing was submitted.");
      if (submitted.length + queued.length === 0) {
        remark(`Gather: ${commandLine("gather", folder)}`);
      }
    });
}
