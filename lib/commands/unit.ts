/** `cli.ts unit PLAN`: does one unit of a plan, as an array job or a worker does. */
import { COME_AGAIN } from "../plan/exit_codes.ts";
import { readPlan } from "../plan/plan_file.ts";
import { messageOf } from "../errors.ts";
import type { UnitHooks } from "../plan/train_unit.ts";
import type { UnitOutcome } from "../plan/unit.ts";
import { runUnit, runUnits } from "../plan/verbs.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { Command, option, UsageError, wholeNumber } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { stoppable, trainingDisplay } from "./training_display.ts";

/** Where the number of a unit comes from in an array of Slurm and in an Indexed Job of Kubernetes. */
const INDEX_VARIABLES = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"];

/** The command; `exit` is told the exit code. */
export function unitCommand(exit: (code: number) => void) {
  return new Command("unit")
    .description(
      "Do one unit of a plan, or go on with it: the one of a number, or the first that nobody does. " +
        "Ctrl-C or a TERM saves its state.",
    )
    .argument("<PLAN>", "folder of the plan")
    .addOption(
      option(
        "--index <N>",
        `the unit's number, from 0 (default: ${INDEX_VARIABLES.join(" or ")})`,
        wholeNumber(0),
      ),
    )
    .addOption(
      option(
        "--jobs <N>",
        "do all units that nobody does, so many side by side as threads and memory allow",
        wholeNumber(1),
      ),
    )
    .addOption(
      option("--log_every <N>", "a line after so many exams", wholeNumber(1)).default(100),
    )
    .addHelpText(
      "after",
      `\nExits 0 if the unit is done, ${COME_AGAIN} if it is saved or busy elsewhere: come again, 1 if ` +
        "it failed, 2 for wrong arguments.\n" +
        "Permissions: --allow-read=data,models,PLAN --allow-write=PLAN, and --allow-env=" +
        `${INDEX_VARIABLES.join(",")} for the number.`,
    )
    .action(async (folder, { index: given, jobs, log_every: logEvery }) => {
      if (given !== undefined && jobs !== undefined) {
        throw new UsageError("argument --jobs: not allowed with argument --index");
      }
      if (jobs !== undefined) return await _doAll(folder, { jobs, logEvery }, exit);
      const index = given ?? _indexFromEnvironment();
      if (index !== undefined) await _checkIndex(folder, index);
      using interrupt = stoppable();
      try {
        let name = "";
        const outcome = await runUnit(folder, {
          ...{ index, signal: interrupt.signal, onRemark: remark },
          onUnit(unit) {
            remark(`Unit:   ${unit.index} (${name = unit.id})`);
          },
          ..._shown(logEvery, () => name),
        });
        endProgress();
        _tell(outcome);
        if (outcome.state !== "done") exit(COME_AGAIN);
      } finally {
        endProgress();
      }
    });
}

/** Does all units; exits 1 if one failed, 75 if some are left. */
async function _doAll(
  folder: string,
  { jobs, logEvery }: { jobs: number; logEvery: number },
  exit: (code: number) => void,
): Promise<void> {
  using interrupt = stoppable();
  try {
    const { done, busy, failed, left, plan } = await runUnits(folder, {
      jobs,
      signal: interrupt.signal,
      onRemark: remark,
      onUnit(unit) {
        remark(`Unit:   ${unit.index} (${unit.id})`);
        // Lines of several units at once could not be told apart.
        return jobs === 1 ? _shown(logEvery, () => unit.id) : undefined;
      },
      onOutcome(outcome) {
        endProgress();
        if (outcome.begun || outcome.state === "busy") _tell(outcome);
      },
      onFailure(unit, error) {
        endProgress();
        remark(`Unit ${unit.index} (${unit.id}) failed: ${messageOf(error)}`);
      },
    });
    print(
      `${done} of ${plan.units.length} units are done${failed > 0 ? `, ${failed} failed` : ""}`,
    );
    if (failed > 0) exit(1);
    else if (busy + left > 0) exit(COME_AGAIN);
  } finally {
    endProgress();
  }
}

/** The number that a scheduler gives this process; nothing if there is none. */
function _indexFromEnvironment(): number | undefined {
  for (const variable of INDEX_VARIABLES) {
    // Not asked for: who runs a unit by hand has no need of the permission.
    if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") continue;
    const text = Deno.env.get(variable);
    if (text === undefined || text === "") continue;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new UsageError(`invalid value of ${variable}: '${text}' (must be a whole number)`);
  }
  return undefined;
}

/** An index outside of the plan is a mistake in the arguments: no later try can do it. */
async function _checkIndex(folder: string, index: number): Promise<void> {
  const { units } = await readPlan(folder);
  if (index < units.length) return;
  throw new UsageError(
    `argument --index: invalid value: ${index} (the plan has units 0 to ${units.length - 1})`,
  );
}

function _tell({ state, unit, begun }: UnitOutcome): void {
  if (unit === undefined) {
    print(state === "done" ? "All units are done." : "All units that are left are being done.");
    return;
  }
  const name = `Unit ${unit.index} (${unit.id})`;
  if (state === "done") print(`${name} is done${begun ? "" : " already"}.`);
  else if (state === "busy") print(`${name} is being done by another process.`);
  else print(`${name} is not done yet: its state is saved. Do it again to go on.`);
}

/** What the command shows while a unit is done. */
function _shown(logEvery: number, name: () => string) {
  const { onDownload: _, ...display } = trainingDisplay(undefined, logEvery);
  const timer = new PhaseTimer();
  return {
    ...display,
    onEpoch(report, checkpoint) {
      display.onEpoch(report, checkpoint);
      timer.mark();
    },
    onEvaluated({ done, total }) {
      const label = `evaluate ${name()}`;
      showProgress({ label, done, total, unit: "exams", ...timer.at(label, done) });
    },
  } satisfies UnitHooks;
}
