/**
 * A model's parameters as scripts see them, TensorFlow.js's variables, and as they were read before anybody
 * asks for these: our own WebAssembly kernels need no TensorFlow.js.
 */
import { EngineError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import * as tf from "../tf.ts";
import { filtersToHWIO, toPyTorch } from "./layout.ts";
import { mrnetParameters } from "./names.ts";
import type { StateDict } from "./weights/tensors.ts";

/**
 * The variables by their names in PyTorch; filters are `[height, width, in, out]`. If TensorFlow.js does not
 * run yet, whoever asks for a variable first makes it run.
 */
export class ModelParameters implements ReadonlyMap<string, tf.Variable> {
  readonly #names: readonly string[];
  #variables: ReadonlyMap<string, tf.Variable> | undefined;
  #asRead: StateDict | undefined;
  /** Stands for the values that were read. */
  readonly #readValues = {};
  /** The variables' values while they are still those. */
  #firstValues: readonly object[] = [];

  /**
   * Makes the variables if TensorFlow.js runs in this process.
   *
   * @param state at least the parameters, in PyTorch's layout. Nobody may change them afterwards
   */
  constructor(network: Network, state: StateDict) {
    this.#names = mrnetParameters(network).map(({ name }) => name);
    this.#asRead = state;
    if (tf.isTensorFlowInUse()) this.#make();
  }

  /**
   * The parameters in PyTorch's layout, as long as there are no variables that might have other values. They
   * are not to be changed.
   */
  get asRead(): StateDict | undefined {
    return this.#asRead;
  }

  /** What is another list once a parameter was given other values; making the variables changes none. */
  get identities(): readonly object[] {
    if (this.#variables === undefined) return [this.#asRead === undefined ? {} : this.#readValues];
    const values = _valuesOf(this.#variables);
    return values.every((each, at) => each === this.#firstValues[at]) ? [this.#readValues] : values;
  }

  /** How many there are. */
  get size(): number {
    return this.#names.length;
  }

  /** The variable of this name, if there is one. */
  get(name: string): tf.Variable | undefined {
    return this.#make().get(name);
  }

  /** Whether there is one of this name. */
  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** Their names, first layer to last. */
  keys(): MapIterator<string> {
    return this.#names.values();
  }

  /** The variables, first layer to last. */
  values(): MapIterator<tf.Variable> {
    return this.#make().values();
  }

  /** Names and variables, first layer to last. */
  entries(): MapIterator<[string, tf.Variable]> {
    return this.#make().entries();
  }

  /** The same as {@linkcode ModelParameters.entries}. */
  [Symbol.iterator](): MapIterator<[string, tf.Variable]> {
    return this.entries();
  }

  /** Calls back with each variable. */
  forEach(
    visit: (
      variable: tf.Variable,
      name: string,
      all: ReadonlyMap<string, tf.Variable>,
    ) => void,
    self?: unknown,
  ): void {
    for (const [name, variable] of this) visit.call(self, variable, name, this);
  }

  /** A copy of the values in PyTorch's layout. */
  async copy(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const name of this.#names) {
      const read = this.#asRead?.get(name);
      values.set(name, read ? read.data.slice() : await this.#copyOf(name));
    }
    return values;
  }

  /** Frees the memory; a second time does nothing. */
  dispose(): void {
    this.#asRead = undefined;
    for (const variable of this.#variables?.values() ?? []) variable.dispose();
  }

  async #copyOf(name: string): Promise<Float32Array> {
    const variable = this.get(name)!;
    return toPyTorch(await variable.data<"float32">(), variable.shape);
  }

  /** The variables, made on the current engine if there are none. */
  #make(): ReadonlyMap<string, tf.Variable> {
    if (this.#variables !== undefined) return this.#variables;
    const state = this.#asRead;
    if (state === undefined) {
      throw new EngineError("Cannot use the parameters of a model that was disposed of");
    }
    tf.runTensorFlow();
    const variables = new Map<string, tf.Variable>();
    for (const name of this.#names) {
      const { shape, data } = state.get(name)!;
      const [out, into, height, width] = shape;
      const tensor = shape.length === 4
        ? tf.tensor(filtersToHWIO(data, shape), [height, width, into, out])
        : tf.tensor(data, shape);
      // The name is left to TensorFlow.js, which wants each to be unique in the process.
      variables.set(name, tf.variable(tensor));
      tensor.dispose();
    }
    this.#variables = variables;
    this.#firstValues = _valuesOf(variables);
    this.#asRead = undefined;
    return variables;
  }
}

/** TensorFlow.js gives new values a new identity. */
function _valuesOf(variables: ReadonlyMap<string, tf.Variable>): object[] {
  return [...variables.values()].map(({ dataId }) => dataId);
}
