/**
 * Rounding as in the reference, whose epoch metrics steer the schedule, the early stop and the
 * choice of the best model after they were rounded.
 */

/** Rounds to four decimals, ties to the even neighbour, as `numpy.round(x, 4)` does. */
export function round4(value: number): number {
  const scaled = value * 1e4;
  const below = Math.floor(scaled);
  const tie = scaled - below === 0.5;
  const whole = tie && below % 2 === 0 ? below : Math.round(scaled);
  return whole / 1e4;
}
