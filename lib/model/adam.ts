/**
 * Adam with weight decay added to the gradient, as `torch.optim.Adam(weight_decay=…)` computes it.
 *
 * Source: D. Kingma and J. Ba, Adam: A method for stochastic optimization, ICLR 2015, algorithm 1.
 * The decay is an L2 penalty, not the decoupled decay of AdamW, which the reference does not use.
 */
import { fromPyTorch, toPyTorch } from "./layout.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import * as tf from "../tf.ts";

/** What Adam is set to. */
export interface AdamOptions {
  /**
   * Step size, above 0; can be changed between steps.
   * @default 1e-5
   */
  learningRate?: number;
  /**
   * Decay of the mean of the gradient, in 0–1.
   * @default 0.9
   */
  beta1?: number;
  /**
   * Decay of the mean of the squared gradient, in 0–1.
   * @default 0.999
   */
  beta2?: number;
  /**
   * Added to the denominator.
   * @default 1e-8
   */
  epsilon?: number;
  /**
   * This share of each parameter is added to its gradient.
   * @default 0.1
   */
  weightDecay?: number;
}

/** What a network is set to beside the optimizer. */
export interface NetworkSettings extends AdamOptions {
  /**
   * What it is made for: only one that is to train has room for it, and one that is to predict shares its
   * memory with others on the WebAssembly engine.
   * @default "train"
   */
  use?: "train" | "evaluate" | "predict";
  /**
   * The names of the parameters that stay as they are: no gradient, no weight decay, and their moments
   * rest.
   * @default none
   */
  frozen?: ReadonlySet<string>;
}

/** The settings of the reference. */
export const ADAM_DEFAULTS: Readonly<Required<AdamOptions>> = {
  learningRate: 1e-5,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
};

interface Moments {
  /** Running mean of the gradient. */
  first: tf.Variable;
  /** Running mean of the squared gradient. */
  second: tf.Variable;
}

/** An optimizer for a fixed set of parameters. */
export class Adam {
  /** The step size of the next step; a schedule may change it. */
  learningRate: number;
  readonly #options: Required<AdamOptions>;
  readonly #parameters: ReadonlyMap<string, tf.Variable>;
  readonly #moments = new Map<string, Moments>();
  #steps = 0;

  /**
   * @param parameters what is optimized, by name
   * @param options learning rate, decays and weight decay
   */
  constructor(parameters: ReadonlyMap<string, tf.Variable>, options: AdamOptions = {}) {
    this.#options = { ...ADAM_DEFAULTS, ...options };
    this.learningRate = this.#options.learningRate;
    this.#parameters = parameters;
    for (const [name, parameter] of parameters) {
      const zeros = () => tf.tidy(() => tf.variable(tf.zerosLike(parameter), false));
      this.#moments.set(name, { first: zeros(), second: zeros() });
    }
  }

  /** How many steps were taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Moves the parameters by one step:
   *
   * ```text
   * g = gradient + weightDecay·p
   * m = β₁·m + (1 − β₁)·g
   * v = β₂·v + (1 − β₂)·g²
   * p = p − learningRate/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
   * ```
   *
   * @param gradients by the parameters' names; one without a gradient stays as it is, its moments too.
   * The caller disposes of them
   */
  step(gradients: ReadonlyMap<string, tf.Tensor>): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.#steps++;
    const stepSize = this.learningRate / (1 - beta1 ** this.#steps);
    const correction = Math.sqrt(1 - beta2 ** this.#steps);
    for (const [name, parameter] of this.#parameters) {
      const own = gradients.get(name);
      if (own === undefined) continue;
      const { first, second } = this.#moments.get(name)!;
      tf.tidy(() => {
        const gradient = tf.add(own, tf.mul(parameter, weightDecay));
        first.assign(tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
        second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
        const denominator = tf.add(tf.div(tf.sqrt(second), correction), epsilon);
        parameter.assign(tf.sub(parameter, tf.mul(tf.div(first, denominator), stepSize)));
      });
    }
  }

  /** A copy of what it carries from step to step. */
  async state(): Promise<OptimizerState> {
    const copy = async (which: keyof Moments) => {
      const values = new Map<string, Float32Array>();
      for (const [name, each] of this.#moments) {
        const { shape } = each[which];
        values.set(name, toPyTorch(await each[which].data<"float32">(), shape));
      }
      return values;
    };
    return { steps: this.#steps, first: await copy("first"), second: await copy("second") };
  }

  /** Goes on from where another one was. */
  restore({ steps, ...moments }: OptimizerState): void {
    this.#steps = steps;
    for (const which of ["first", "second"] as const) {
      for (const [name, each] of this.#moments) {
        const { shape } = each[which];
        const values = fromPyTorch(moments[which].get(name)!, shape);
        tf.tidy(() => each[which].assign(tf.tensor(values, shape)));
      }
    }
  }

  /** Frees the moments; the parameters stay. */
  dispose(): void {
    for (const { first, second } of this.#moments.values()) tf.dispose([first, second]);
  }
}
