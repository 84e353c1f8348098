/** When to stop before the last epoch. */

/**
 * Stops once the loss has not fallen below its best for `patience` epochs, as the reference does:
 * the counter is raised each epoch, set to zero by an improvement, and compared with `patience`.
 *
 * @param patience epochs; 0 never stops
 * @returns called with each epoch's validation loss, says whether training should stop
 */
export function earlyStopping(patience: number): (valLoss: number) => boolean {
  let best = Infinity;
  let epochs = 0;
  return (valLoss) => {
    epochs++;
    if (valLoss < best) {
      best = valLoss;
      epochs = 0;
    }
    return patience > 0 && epochs === patience;
  };
}
