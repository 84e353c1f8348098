/**
 * How close to PyTorch every engine has to be: all these numbers are here.
 *
 * All three engines come equally close, so a bound holds for each of them. Where only rounding is at
 * work it is about five times the largest difference measured (docs/fidelity.md); it is never above
 * what is demanded.
 */
import assert from "node:assert/strict";
import type { NetworkName } from "../../lib/network/networks.ts";
import type { Differences, NetworkCase } from "./network_golden.ts";

/** What this project demands of every engine and case. */
export const DEMANDED = {
  logits: 1e-4,
  gradients: 1e-3,
  parameters_10: 1e-4,
  epochLoss: 1e-3,
  epochAuc: 0.002,
} as const;

/** What it demands of a network: of ResNet-18's logits more. */
export function demandedOf(network: NetworkName): Partial<Differences> {
  return network === "alexnet" ? DEMANDED : { ...DEMANDED, logits: 1e-5 };
}

/**
 * Bounds by case of tests/golden/network.json: relative, of tensors in L2 norm.
 *
 * What grows with size is not rounding itself but its consequences: where two pixels or two slices
 * almost tie for a maximum, or an activation is almost 0, the last bit decides where the gradient goes;
 * and Adam's first steps have the size of the learning rate however small a gradient is. PyTorch
 * differs from itself as much, from one way of computing to another. So of the larger exams the
 * differences after ten steps are bound by what is demanded.
 */
export const NETWORK_TOLERANCES: Record<string, Required<Differences>> = {
  "2x64x64": {
    logits: 1e-5,
    losses: 1e-5,
    gradients: 1e-5,
    parameters_1: 1e-5,
    parameters_10: 1e-5,
    change_10: 2e-3,
  },
  "1x256x256": {
    logits: 1e-5,
    losses: 1e-3,
    gradients: 1e-5,
    parameters_1: 1e-5,
    parameters_10: 1e-4,
    change_10: 2e-2,
  },
  "7x224x240": {
    logits: 1e-5,
    losses: 1e-3,
    gradients: 4e-4,
    parameters_1: 1e-5,
    parameters_10: 1e-4,
    change_10: 2e-2,
  },
  "32x80x72": {
    logits: 1e-5,
    losses: 1e-3,
    gradients: 2e-5,
    parameters_1: 1e-5,
    parameters_10: 1e-4,
    change_10: 2e-2,
  },
};

/** The same of tests/golden/resnet18.json, whose seeds have no near ties. */
const RESNET18_TOLERANCES: Differences = {
  logits: 1e-5,
  losses: 1e-4,
  gradients: 6e-5,
  parameters_10: 1e-4,
  change_10: 2e-2,
};

/**
 * Of so many activations one is 0 but for rounding, and its ReLU passes a gradient on one engine and
 * none on another (docs/fidelity.md): so the gradients are bound by what is demanded.
 */
const RESNET18_TOLERANCES_7: Differences = {
  ...RESNET18_TOLERANCES,
  gradients: DEMANDED.gradients,
};

/** The bounds of a case. */
export function boundsOf({ network, name, slices }: NetworkCase): Differences {
  if (network === "alexnet") return NETWORK_TOLERANCES[name];
  return slices === 7 ? RESNET18_TOLERANCES_7 : RESNET18_TOLERANCES;
}

/** Fails if a difference of a case from PyTorch is larger than its bound. */
export function assertWithinBounds(reference: NetworkCase, differences: Differences): void {
  const bounds = boundsOf(reference);
  for (const [what, difference] of Object.entries(differences)) {
    const bound = bounds[what as keyof Differences]!;
    assert.ok(difference <= bound, `${what}: ${difference} is above ${bound}`);
  }
}

/**
 * A whole run: the mean losses of an epoch, relative, and its AUCs, absolute. The losses have more room
 * than five times the measured, since over dozens of steps the last bit may come to decide something.
 */
export const WHOLE_RUN_TOLERANCES = { epochLoss: 1e-4, epochAuc: 1e-9 } as const;

/** A resampled pixel, in grey values of 0–255. */
export const AUGMENTATION_TOLERANCE = 0.005;

/** The logits of an exam that a step has resampled, relative. */
export const AUGMENTED_STEP_TOLERANCE = 1e-5;

/**
 * How far a step with activations in half precision may be from one in float32: logits relative or, below
 * 1, absolute; gradients by the L2 norm of each tensor (docs/performance_webgpu.md has the measured).
 *
 * Rounding moves some maxima to other pixels: where one of the 256 channels' does, that is a sixteenth
 * of the last filters' gradient by itself. The tensors behind all maxima have a bound of their own.
 */
export const HALF_TOLERANCES = { logits: 3e-3, gradients: 0.2, behindMaxima: 3e-3 } as const;
