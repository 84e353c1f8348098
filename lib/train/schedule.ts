/**
 * Learning-rate schedules: functions with a state, called after each epoch, that answer with the next
 * learning rate.
 */

/** A learning-rate schedule: called with each epoch's validation loss, gives the next epoch's rate. */
export type Schedule = (valLoss: number) => number;

/** The schedules of the reference. */
export const SCHEDULES = ["plateau", "step", "none"] as const;
/** Which schedule: by plateau of the validation loss, every few epochs, or none. */
export type ScheduleName = (typeof SCHEDULES)[number];

/** PyTorch leaves a rate alone that would change by so much or less. */
const LEAST_CHANGE = 1e-8;

/** After how many epochs the step schedule acts. */
const STEP_EPOCHS = 3;

/** Settings of {@linkcode plateau}. */
export interface PlateauOptions {
  /**
   * What the learning rate is multiplied by.
   * @default 0.3
   */
  factor?: number;
  /**
   * How many epochs without improvement are borne; the one after them reduces.
   * @default 3
   */
  patience?: number;
  /**
   * A loss counts as better below `best · (1 − threshold)`.
   * @default 1e-4
   */
  threshold?: number;
}

/**
 * Reduces the learning rate when the validation loss stops falling, as
 * `torch.optim.lr_scheduler.ReduceLROnPlateau(mode="min", threshold_mode="rel")` does.
 *
 * @param learningRate the rate of the first epoch
 */
export function plateau(
  learningRate: number,
  { factor = 0.3, patience = 3, threshold = 1e-4 }: PlateauOptions = {},
): Schedule {
  let rate = learningRate;
  let best = Infinity;
  let badEpochs = 0;
  return (valLoss) => {
    if (valLoss < best * (1 - threshold)) {
      best = valLoss;
      badEpochs = 0;
    } else {
      badEpochs++;
    }
    if (badEpochs > patience) {
      const reduced = rate * factor;
      if (rate - reduced > LEAST_CHANGE) rate = reduced;
      badEpochs = 0;
    }
    return rate;
  };
}

/**
 * Multiplies the learning rate by `gamma` after every third epoch, as
 * `torch.optim.lr_scheduler.StepLR(step_size=3)` does.
 *
 * @param learningRate the rate of the first epochs
 * @param gamma the factor
 */
export function stepDecay(learningRate: number, gamma = 0.5, every = STEP_EPOCHS): Schedule {
  let rate = learningRate;
  let epochs = 0;
  return () => {
    epochs++;
    if (epochs % every === 0) rate *= gamma;
    return rate;
  };
}

/** What decides whether a schedule ever acts. */
export interface ScheduleSettings {
  schedule: ScheduleName;
  learningRate: number;
  gamma: number;
  plateauPatience: number;
  plateauFactor: number;
  epochs: number;
  /** After how many epochs without a lower loss training stops; 0 is never. */
  patience: number;
}

/**
 * Why the learning rate stays what it is to the end of a run, though a schedule was asked for.
 *
 * @returns a line for the user, `undefined` if the schedule may act
 */
export function whyNeverActs(settings: ScheduleSettings): string | undefined {
  const { schedule, learningRate, gamma, plateauPatience, plateauFactor, epochs, patience } =
    settings;
  const stays = "The learning rate will not change";
  if (schedule === "step") {
    if (gamma === 1) return `${stays}: --gamma is 1`;
    if (epochs > STEP_EPOCHS) return undefined;
    return `${stays}: the step schedule acts after ${STEP_EPOCHS} epochs, --epochs is ${epochs}`;
  }
  if (schedule === "none") return undefined;
  const bad = plateauPatience + 1;
  if (patience > 0 && patience <= bad) {
    return `${stays}: the plateau schedule acts after ${bad} epochs without lower loss, the early ` +
      `stop ends the run after ${patience}: give --patience 0 or above ${bad}`;
  }
  // The first epoch has the lowest loss so far, and what acts after the last one acts on nothing.
  if (epochs < bad + 2) {
    return `${stays}: the plateau schedule acts in epoch ${bad + 2} at the earliest, --epochs is ` +
      `${epochs}`;
  }
  if (learningRate * (1 - plateauFactor) <= LEAST_CHANGE) {
    return `${stays}: the plateau schedule leaves changes of ${LEAST_CHANGE} or less out, --lr is ` +
      `${learningRate}`;
  }
  return undefined;
}

/** Makes a schedule by its name. */
export function createSchedule(
  name: ScheduleName,
  learningRate: number,
  gamma: number,
  options: PlateauOptions = {},
): Schedule {
  switch (name) {
    case "plateau":
      return plateau(learningRate, options);
    case "step":
      return stepDecay(learningRate, gamma);
    case "none":
      return () => learningRate;
    default:
      return name satisfies never;
  }
}
