/** The trainings of a plan, numbered. */
import type { Plane, Task } from "../terms.ts";
import type { PlannedSetting, TrainUnit } from "./plan.ts";

/** What the trainings are made of. */
export interface TrainUnitsOf {
  /** The findings. */
  tasks: readonly Task[];
  /** The planes. */
  planes: readonly Plane[];
  /** How they are trained. */
  settings: readonly PlannedSetting[];
  /** The first seed. */
  seed: number;
  /** How many seeds. */
  seeds: number;
  /** How many folds; none if exams are not dealt out. */
  folds?: number;
  /** The threads that compute each. */
  threads: number;
}

/** A training of each setting, seed, fold, task and plane, in this order. */
export function trainUnits(
  { tasks, planes, settings, seed, seeds, folds, threads }: TrainUnitsOf,
): TrainUnit[] {
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const all = upTo(settings.length).flatMap((setting) =>
    upTo(seeds).flatMap((which) =>
      (folds === undefined ? [undefined] : upTo(folds)).flatMap((fold) =>
        tasks.flatMap((task) =>
          planes.map((plane) => ({ setting, seed: seed + which - 1, fold, task, plane }))
        )
      )
    )
  );
  return all.map(({ setting, seed, fold, task, plane }, index) => ({
    index,
    id: [
      ...[task, plane],
      ...settings.length > 1 ? [`setting${setting}`] : [],
      ...fold === undefined ? [] : [`fold${fold}`],
      ...seeds > 1 ? [`seed${seed}`] : [],
    ].join("-"),
    ...{ task, plane, network: String(settings[setting - 1].options.network), setting, seed },
    ...(fold !== undefined && { fold }),
    threads,
  }));
}
