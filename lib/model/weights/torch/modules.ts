/**
 * Finds the tensors of a network in whatever a PyTorch file holds: a state dict, a checkpoint
 * dictionary with a state dict somewhere inside, or a whole pickled module.
 */
import { belongsToLoss, withoutWrappers } from "../lineage.ts";
import { PickleFault, PickleObject, type PickleValue } from "../../../pickle/values.ts";
import { TensorRecord } from "./records.ts";
import { listed, quoted } from "../../../quoted.ts";

/** Tensors that have not been read yet, by name. */
export type TensorIndex = Map<string, TensorRecord>;

/** Where checkpoints keep the network, the most usual first. */
const USUAL_KEYS = [
  "state_dict",
  "model_state_dict",
  "model",
  "net",
  "network",
  "weights",
  "model_state",
  "module",
] as const;

/** How deep the search for a state dict goes. */
const MAX_DEPTH = 3;
/** How deep the layers of a module are followed. */
const MAX_LAYERS = 64;
/** Entries and letters of names that are looked at: shared values may be met any number of times. */
const MAX_STEPS = 5_000_000;
/** Tensors of one network. */
const MAX_TENSORS = 50_000;

/**
 * The tensors of the network that an unpickled value holds.
 *
 * @throws {PickleFault} if there is none, or several and no telling which is meant
 */
export function findTensors(value: PickleValue): TensorIndex {
  const found = new Search().find(value, 0);
  if (found === undefined || found.size === 0) {
    throw new PickleFault("there is no state dict and no module in it");
  }
  return found;
}

/** What else in a checkpoint has tensors, beside the network. */
const ASIDE = /optim|sched|scaler|criterion|loss|rng/i;

/** The tensors that are those of layers, by their names. */
function layersOf(index: TensorIndex): string[] {
  return [...index.keys()].filter((name) =>
    /(?:^|\.)(?:weight|bias)$/.test(name) && !belongsToLoss(name)
  );
}

/** Refuses to take a network out of a file that has layers elsewhere. */
function checkNothingLost(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new PickleFault(
    `it holds a network, and other layers beside it (${listed(names.map(quoted))})`,
  );
}

class Search {
  private readonly seen = new Set<PickleValue>();
  private steps = 0;

  find(value: PickleValue, depth: number): TensorIndex | undefined {
    if (!(value instanceof PickleObject || value instanceof Map)) return undefined;
    if (depth > MAX_DEPTH || this.seen.has(value)) return undefined;
    this.seen.add(value);
    if (value instanceof PickleObject) {
      const index: TensorIndex = new Map();
      this._walk(index, value, "", 0);
      return index;
    }
    const own: TensorIndex = new Map();
    const inside = new Map<string, TensorIndex>();
    for (const [key, item] of this._named(value)) {
      if (item instanceof TensorRecord) this._add(own, key, item);
      else if (!ASIDE.test(key)) {
        const found = this.find(item, depth + 1);
        if (found !== undefined && found.size > 0) inside.set(key, found);
      }
    }
    return this._choose(own, inside);
  }

  /**
   * The network in one dictionary: the one under a usual key, or the only one. Layers beside it would be
   * lost, so there may be none. A copy of the network, such as an average, is allowed.
   */
  private _choose(own: TensorIndex, inside: Map<string, TensorIndex>): TensorIndex | undefined {
    const usual = USUAL_KEYS.find((key) => inside.has(key));
    // Tensors that belong to no layer are about the training, if there is a network beside them.
    const beside = layersOf(own);
    if (inside.size === 0 || usual === undefined && beside.length > 0) {
      const lost = [...inside].flatMap(([key, index]) =>
        layersOf(index).map((name) => `${key}/${name}`)
      );
      checkNothingLost(lost);
      return own;
    }
    if (usual === undefined && inside.size > 1) {
      const keys = listed([...inside.keys()].map(quoted));
      throw new PickleFault(`it holds several networks (${keys}) and none is under 'state_dict'`);
    }
    const key = usual ?? inside.keys().next().value!;
    const chosen = inside.get(key)!;
    checkNothingLost(beside);
    const kept = new Set([...chosen.keys()].map(withoutWrappers));
    for (const [other, index] of inside) {
      const lost = layersOf(index).filter((name) => !kept.has(withoutWrappers(name)));
      checkNothingLost(lost.map((name) => `${other}/${name}`));
    }
    return chosen;
  }

  /** Adds the tensors of a pickled module, named as its own `state_dict()` would name them. */
  private _walk(index: TensorIndex, layer: PickleObject, prefix: string, depth: number): void {
    if (depth > MAX_LAYERS) throw new PickleFault("its module is nested without end");
    this._spend(prefix.length + 1);
    const passing = layer.state.get("_non_persistent_buffers_set");
    for (const [name, tensor] of this._named(layer.state.get("_parameters"), prefix)) {
      if (tensor instanceof TensorRecord) this._add(index, prefix + name, tensor);
    }
    for (const [name, tensor] of this._named(layer.state.get("_buffers"), prefix)) {
      if (passing instanceof Set && passing.has(name)) continue;
      if (tensor instanceof TensorRecord) this._add(index, prefix + name, tensor);
    }
    for (const [name, child] of this._named(layer.state.get("_modules"), prefix)) {
      if (child instanceof PickleObject) this._walk(index, child, `${prefix}${name}.`, depth + 1);
    }
  }

  private _add(index: TensorIndex, name: string, tensor: TensorRecord): void {
    index.set(name, tensor);
    if (index.size > MAX_TENSORS) throw new PickleFault(`it has over ${MAX_TENSORS} tensors`);
  }

  /** The entries of a dictionary that have names; none if it is no dictionary. */
  private *_named(
    values: PickleValue | undefined,
    prefix = "",
  ): Iterable<[string, PickleValue]> {
    if (!(values instanceof Map)) return;
    for (const [name, value] of values) {
      if (typeof name !== "string") continue;
      this._spend(prefix.length + name.length + 1);
      yield [name, value];
    }
  }

  private _spend(steps: number): void {
    this.steps += steps;
    if (this.steps > MAX_STEPS) throw new PickleFault("its module is nested without end");
  }
}
