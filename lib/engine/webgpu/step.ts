/**
 * What changes from one step to the next: a few numbers ahead of the exam's voxels, so that a step
 * uploads once.
 */
import type { Binding } from "./kernel.ts";

/** How the grey values of an exam change; `lib/data/photometric.ts` has the formulas. */
export interface PhotometricStep {
  /** The exponent. */
  gamma: number;
  /** The standard deviation of the noise. */
  noiseStd: number;
  /** What the noise follows from, 32 bits. */
  noiseSeed: number;
  /** The ten coefficients of the bias field. */
  coefficients: readonly number[];
  /** What is done last. */
  after: { scale: number; offset: number };
}

/** The numbers of a step. */
export interface StepValues {
  /** How many slices there are: those of the exam, or of one chunk of it. */
  slices: number;
  /**
   * The first of them.
   * @default 0
   */
  first?: number;
  /** Which slot of the ring of results the step writes. */
  slot: number;
  /** 1 if the finding is present. */
  label: number;
  /** What the two outputs count in the loss. */
  weights: readonly [number, number];
  /** Where each pixel comes from: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`. */
  source: readonly [number, number, number, number, number, number];
  /** What is then done to its value: `value · scale + offset`. */
  scale: number;
  /** See {@linkcode StepValues.scale}. */
  offset: number;
  /**
   * What then becomes of the grey values.
   * @default nothing
   */
  photometric?: PhotometricStep;
  /** `learningRate / (1 − β₁ᵗ)`. */
  stepSize: number;
  /** `√(1 − β₂ᵗ)`. */
  correction: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** The numbers of a pass without a step: no label, no resampling, no optimizer. */
export const FORWARD_VALUES = {
  label: 0,
  weights: [0, 0],
  source: [1, 0, 0, 0, 1, 0],
  stepSize: 0,
  correction: 1,
  beta1: 0,
  beta2: 0,
  epsilon: 1,
  weightDecay: 0,
} as const satisfies Partial<StepValues>;

/** Bytes ahead of the voxels; what bindings with an offset have to be aligned to. */
export const HEADER_BYTES = 256;

/** The WGSL of {@linkcode StepValues}, but for a change of grey values. */
const FIELDS = `
  slices: u32,
  slot: u32,
  weights: vec2<f32>,
  source_x: vec4<f32>,
  source_y: vec4<f32>,
  step_size: f32,
  correction: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  // 1 − β, subtracted in double precision: 1 − 0.999 in single is off by 1 in 80 000.
  rest1: f32,
  rest2: f32,
  label: f32,
  scale: f32,
  offset: f32,
  // The first slice of the chunk.
  first: u32,`;

/** The WGSL of {@linkcode PhotometricStep}, which follows. */
const PHOTOMETRIC_FIELDS = `
  noise_seed: u32,
  gamma: f32,
  noise_std: f32,
  final_scale: f32,
  final_offset: f32,
  bias: array<vec4<f32>, 3>,`;

/** Where these begin, in bytes, and where the coefficients do. */
const [PHOTOMETRIC_AT, BIAS_AT] = [96, 128];

/** The binding of the numbers of the step. */
export const STEP: Binding = {
  name: "step",
  type: "Step",
  access: "uniform",
  structure: `struct Step {${FIELDS}\n}`,
};

/** The same with a change of grey values. */
export const PHOTOMETRIC_STEP: Binding = {
  ...STEP,
  structure: `struct Step {${FIELDS}${PHOTOMETRIC_FIELDS}\n}`,
};

/**
 * Writes the numbers of a step to what is uploaded.
 *
 * @param at where they begin, in bytes
 */
export function writeStep(into: ArrayBuffer, step: StepValues, at = 0): void {
  new Uint32Array(into, at, 2).set([step.slices, step.slot]);
  const [a, b, c, d, e, f] = step.source;
  const numbers = [
    ...step.weights,
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
    step.label,
    step.scale,
    step.offset,
  ];
  new Float32Array(into, at + 8, numbers.length).set(numbers);
  new Uint32Array(into, at + 8 + 4 * numbers.length, 1).set([step.first ?? 0]);
  if (step.photometric === undefined) return;
  const { gamma, noiseStd, noiseSeed, coefficients, after } = step.photometric;
  new Uint32Array(into, at + PHOTOMETRIC_AT, 1).set([noiseSeed]);
  const rest = [gamma, noiseStd, after.scale, after.offset];
  new Float32Array(into, at + PHOTOMETRIC_AT + 4, rest.length).set(rest);
  new Float32Array(into, at + BIAS_AT, coefficients.length).set(coefficients);
}
