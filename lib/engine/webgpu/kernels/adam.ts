/**
 * Adam with weight decay added to the gradient, over all parameters at once.
 *
 * @module
 */
import { elementGroups, elementwise } from "../kernel.ts";
import { STEP, STEP_STRUCT } from "../step.ts";
import type { Sized } from "./convolution.ts";

/**
 * One thread a parameter; the formula is that of `lib/train/adam.ts`. TensorFlow.js takes 173
 * dispatches for it.
 *
 * Bindings: `step`; `gradient`, `parameters`, `first` and `second`, of `count` numbers each.
 */
export function adam(count: number): Sized {
  const numbers = (name: string, access: "read" | "write") =>
    ({ name, type: "array<f32>", access }) as const;
  return {
    kernel: {
      label: "Adam",
      bindings: [
        STEP,
        numbers("gradient", "read"),
        numbers("parameters", "write"),
        numbers("first", "write"),
        numbers("second", "write"),
      ],
      code: `${STEP_STRUCT}
${
        elementwise(
          `${count}u`,
          `
  let parameter = parameters[index];
  let g = gradient[index] + parameter * step.weight_decay;
  let m = first[index] * step.beta1 + g * step.rest1;
  let v = second[index] * step.beta2 + g * g * step.rest2;
  first[index] = m;
  second[index] = v;
  parameters[index] = parameter - m / (sqrt(v) / step.correction + step.epsilon) * step.step_size;`,
        )
      }`,
    },
    workgroups: () => elementGroups(count),
  };
}
