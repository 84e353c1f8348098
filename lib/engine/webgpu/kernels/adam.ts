/** Adam with weight decay added to the gradient, over all parameters at once. */
import { elementKernel } from "../element_kernel.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { STEP } from "../step.ts";

/**
 * The formula is that of `lib/model/adam.ts`. TensorFlow.js takes 173
 * dispatches for it.
 *
 * Bindings: `step`; `gradient`, `parameters`, `first` and `second`, of `count` numbers each.
 */
export function adam(count: number): KernelLaunch {
  // Four parameters a thread; buffers are whole vectors, so the last one may hold less than four.
  return elementKernel({
    label: "Adam",
    bindings: [
      STEP,
      vectors("gradient", "read"),
      vectors("parameters", "write"),
      vectors("first", "write"),
      vectors("second", "write"),
    ],
    count: Math.ceil(count / 4),
    body: `let parameter = parameters[index];
  let g = gradient[index] + parameter * step.weight_decay;
  let m = first[index] * step.beta1 + g * step.rest1;
  let v = second[index] * step.beta2 + g * g * step.rest2;
  first[index] = m;
  second[index] = v;
  parameters[index] = parameter - m / (sqrt(v) / step.correction + step.epsilon) * step.step_size;`,
  });
}
