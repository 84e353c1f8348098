/**
 * Adam's state between two steps, in a form that does not depend on the engine: the state of one network
 * can be given to another.
 */

/** The optimizer after some steps; its values are in PyTorch's layout. */
export interface OptimizerState {
  /** How many steps were taken, at least 1. */
  steps: number;
  /** The running mean of each parameter's gradient, by the parameter's name. */
  first: ReadonlyMap<string, Float32Array>;
  /** The running mean of each parameter's squared gradient. */
  second: ReadonlyMap<string, Float32Array>;
}
