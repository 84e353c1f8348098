/** Handing the units of a plan over to a scheduler or a queue. */
import { OptionError, SubmitError } from "../errors.ts";
import { lockRun } from "../logs/run_lock.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { EngineOption, Submission, SubmitEngine, SubmitOptions } from "./engines/engine.ts";
import { SUBMIT_ENGINE_NAMES, SUBMIT_ENGINES } from "./engines/engines.ts";
import type { Plan, ScoreUnit, TrainUnit } from "./plan.ts";
import { openPlan } from "./plan_file.ts";
import { readUnit } from "./unit_file.ts";

/** The names of the options. */
const OPTION_NAMES: OptionNames<SubmitOptions> = {
  engine: true,
  print: true,
  sbatch: true,
  redis: true,
  queue: true,
  image: true,
  claims: true,
  workdir: true,
  app: true,
  memory: true,
};

/** What became of a plan that was submitted. */
export interface SubmitOutcome extends Submission {
  /** The plan. */
  plan: Plan;
  /** The numbers of the units that are done. */
  done: number[];
}

/** As in `verbs.ts`, where it is described. */
export async function submitPlan(folder: string, options: SubmitOptions): Promise<SubmitOutcome> {
  checkOptionNames("submit a plan", options, OPTION_NAMES);
  const engine = _engine(options);
  const opened = await openPlan(folder);
  const { plan, sha256 } = opened;
  const lock = await lockRun(folder);
  if (lock === undefined) {
    throw new SubmitError(
      `Cannot submit the plan '${folder}': another process is submitting it: wait for its end`,
    );
  }
  try {
    const done: number[] = [];
    const open: (TrainUnit | ScoreUnit)[] = [];
    for (const unit of plan.units) {
      if (await readUnit(folder, opened, unit) === undefined) open.push(unit);
      else done.push(unit.index);
    }
    const nothing = { files: [], submitted: [], queued: [], jobs: [], commands: [] };
    const submission = open.length === 0
      ? nothing
      : await engine.submit({ folder, plan, sha256, open, options });
    return { plan, done, ...submission };
  } finally {
    await lock.release();
  }
}

/** The engine that is asked for. */
function _engine(options: SubmitOptions): SubmitEngine {
  const { engine: name, print: _, ...own } = options;
  if (!Object.hasOwn(SUBMIT_ENGINES, name)) {
    throw new OptionError(
      `Cannot submit a plan to '${name}': there is no such engine: ` +
        `choose from ${SUBMIT_ENGINE_NAMES.join(", ")}`,
    );
  }
  const engine = SUBMIT_ENGINES[name];
  const odd = Object.entries(own).find(([option, value]) =>
    value !== undefined && !engine.takes.includes(option as EngineOption)
  );
  if (odd === undefined) return engine;
  throw new OptionError(
    `Cannot submit a plan to ${engine.title} with ${odd[0]}: it has no such option: leave it out`,
  );
}
