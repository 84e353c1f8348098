/**
 * What changes from one step to the next: a few numbers ahead of the exam's voxels, so that a step
 * uploads once.
 *
 * @module
 */
import type { Binding } from "./kernel.ts";

/** The numbers of a step. */
export interface StepValues {
  /** How many slices the exam has. */
  slices: number;
  /** Which place of the ring of figures the step writes. */
  slot: number;
  /** 1 where the finding is present. */
  label: number;
  /** The weight of the second output in the loss. */
  positiveWeight: number;
  /** Where each pixel comes from: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`. */
  source: readonly [number, number, number, number, number, number];
  /** `learningRate / (1 − β₁ᵗ)`. */
  stepSize: number;
  /** `√(1 − β₂ᵗ)`. */
  correction: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** Bytes ahead of the voxels; what bindings with an offset have to be aligned to. */
export const HEADER_BYTES = 256;

/** The numbers of the step; a kernel that binds this needs {@linkcode STEP_STRUCT} in its text. */
export const STEP: Binding = { name: "step", type: "Step", access: "uniform" };

/** The WGSL of {@linkcode StepValues}. */
export const STEP_STRUCT = `
struct Step {
  slices: u32,
  slot: u32,
  label: f32,
  positive_weight: f32,
  source_x: vec4<f32>,
  source_y: vec4<f32>,
  step_size: f32,
  correction: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  // 1 − β, subtracted in double precision: 1 − 0.999 in single is off by one part in 80 000.
  rest1: f32,
  rest2: f32,
}`;

/** Writes the numbers of a step to the start of what is uploaded. */
export function writeStep(into: ArrayBuffer, step: StepValues): void {
  const whole = new Uint32Array(into, 0, 2);
  whole.set([step.slices, step.slot]);
  const [a, b, c, d, e, f] = step.source;
  new Float32Array(into, 8, 18).set([
    step.label,
    step.positiveWeight,
    ...[a, b, c, 0],
    ...[d, e, f, 0],
    step.stepSize,
    step.correction,
    step.beta1,
    step.beta2,
    step.epsilon,
    step.weightDecay,
    1 - step.beta1,
    1 - step.beta2,
  ]);
}
