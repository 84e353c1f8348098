/** When to stop before the last epoch. */

/** Counts the epochs since the validation loss last improved. */
export interface EarlyStopping {
  /**
   * Called after each epoch.
   *
   * @param valLoss the epoch's validation loss
   * @returns whether training should stop
   */
  shouldStop(valLoss: number): boolean;
}

/**
 * Stops once the loss has not fallen below its best for `patience` epochs, as the reference does:
 * the counter is raised each epoch, set to zero by an improvement, and compared with `patience`.
 *
 * @param patience epochs; 0 never stops
 */
export function earlyStopping(patience: number): EarlyStopping {
  let best = Infinity;
  let epochs = 0;
  return {
    shouldStop(valLoss) {
      epochs++;
      if (valLoss < best) {
        best = valLoss;
        epochs = 0;
      }
      return patience > 0 && epochs === patience;
    },
  };
}
