/** `cli.ts work --redis URL`: a worker that does the units of a BullMQ queue. */
import { queueCommandLine } from "../invocation.ts";
import {
  LOCK_SECONDS,
  type QueuedUnit,
  type QueuedUnitEnd,
  workOnQueue,
} from "../plan/engines/queue_work.ts";
import { Command, option, wholeNumber } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { interruptible } from "./interrupt.ts";
import { redisGiven, redisOptions } from "./redis_options.ts";

/** The command; `exit` is told the exit code. */
export function workCommand(exit: (code: number) => void) {
  const [redisOption, queueOption] = redisOptions();
  return new Command("work")
    .description(
      "Do the units that 'submit --engine bullmq' put into a queue, one after the other, each in a " +
        "process of its own. Ctrl-C or a TERM saves the unit at hand and gives it back.",
    )
    .addOption(redisOption)
    .addOption(queueOption)
    .option("--until_done", "end when no unit waits and none is being done")
    .addOption(
      option(
        "--lock <SECONDS>",
        "give a unit to another worker after so long without a sign of life " +
          `(default: ${LOCK_SECONDS})`,
        wholeNumber(1, 3600),
      ),
    )
    .addHelpText(
      "after",
      "\nExits 0, or 1 if a unit failed for good.\n" +
        `BullMQ is in a lock file of its own:\n  ${queueCommandLine("work")}\n` +
        "Permissions: --allow-net=HOST:PORT --allow-env --allow-read=PLAN --allow-run",
    )
    .action(async ({ redis, queue, until_done: untilDone, lock }) => {
      using interrupt = interruptible(() =>
        remark("Ends when the unit at hand is saved; press Ctrl-C again to end at once.")
      );
      const { done, failed } = await workOnQueue({
        ...{ redis: redisGiven(redis), queue, untilDone, lock, signal: interrupt.signal },
        onStart({ name, redis }) {
          remark(`Queue:  ${name} at ${redis}`);
        },
        onUnit({ plan, index, id }) {
          remark(`Unit:   ${index} (${id}) of ${plan}`);
        },
        onLine({ id }, line) {
          remark(`${id} | ${line}`);
        },
        onEnd: _tell,
        onRemark: remark,
      });
      print(
        `${done} ${done === 1 ? "unit" : "units"} done${failed > 0 ? `, ${failed} failed` : ""}`,
      );
      if (failed > 0) exit(1);
    });
}

/** Says what became of a unit, a line each. */
function _tell({ index, id, plan }: QueuedUnit, { state, reason }: QueuedUnitEnd): void {
  const name = `Unit ${index} (${id}) of ${plan}`;
  const why = reason === undefined || reason === "" ? "" : `: ${reason}`;
  switch (state) {
    case "done":
      return print(`${name} is done`);
    case "again":
      return print(`${name} is in the queue again${why}`);
    case "failed":
      return print(`${name} has failed${why}`);
    case "broken":
      return print(`${name} is tried again, a few times${why}`);
    default:
      state satisfies never;
  }
}
