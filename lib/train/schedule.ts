/**
 * Learning-rate schedules: small state machines that are told about each epoch and answer with the
 * next learning rate.
 *
 * @module
 */

/** A learning-rate schedule. */
export interface Schedule {
  /**
   * Called after each epoch.
   *
   * @param valLoss the epoch's validation loss
   * @returns the learning rate of the next epoch
   */
  next(valLoss: number): number;
}

/** The schedules of the reference. */
export const SCHEDULES = ["plateau", "step", "none"] as const;
/** Which schedule: by plateau of the validation loss, every few epochs, or none. */
export type ScheduleName = (typeof SCHEDULES)[number];

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
  return {
    next(valLoss) {
      if (valLoss < best * (1 - threshold)) {
        best = valLoss;
        badEpochs = 0;
      } else {
        badEpochs++;
      }
      if (badEpochs > patience) {
        // PyTorch leaves a rate alone that would change by 1e-8 or less.
        const reduced = rate * factor;
        if (rate - reduced > 1e-8) rate = reduced;
        badEpochs = 0;
      }
      return rate;
    },
  };
}

/**
 * Multiplies the learning rate by `gamma` after every third epoch, as
 * `torch.optim.lr_scheduler.StepLR(step_size=3)` does.
 *
 * @param learningRate the rate of the first epochs
 * @param gamma the factor
 */
export function stepDecay(learningRate: number, gamma = 0.5, every = 3): Schedule {
  let rate = learningRate;
  let epochs = 0;
  return {
    next() {
      epochs++;
      if (epochs % every === 0) rate *= gamma;
      return rate;
    },
  };
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
      return { next: () => learningRate };
    default:
      return name satisfies never;
  }
}
