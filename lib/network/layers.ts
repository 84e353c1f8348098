/** A network as engines compute it: each convolution together with what follows it. */
import { IMAGE } from "./network.ts";
import type { Convolution, MaxPool, Network, Node, Operation } from "./network.ts";

/** A convolution and what is computed of its output: an addition, a ReLU, a pool, in this order. */
export interface Layer {
  /** With its batch normalisation, if it has one. */
  readonly convolution: Node & Convolution;
  /** The index of the layer whose output it reads, or {@linkcode IMAGE}. */
  readonly source: number;
  /**
   * The index of the layer whose output is added ahead of the ReLU.
   * @default none
   */
  readonly shortcut?: number;
  /** Whether values below 0 become 0. */
  readonly relu: boolean;
  /** @default none */
  readonly pool?: MaxPool;
}

/** In which order the nodes of a layer are computed. */
const ORDER: readonly Operation["kind"][] = ["convolution", "add", "relu", "maxPool"];

/**
 * The layers of a network. The output of the last one are the features.
 *
 * @throws {Error} if a node does not follow a convolution as a {@linkcode Layer} has it, or reads what is
 * within a layer
 */
export function layersOf({ name, nodes }: Network): Layer[] {
  const layers: { -readonly [Key in keyof Layer]: Layer[Key] }[] = [];
  // The layers by the index of their last node.
  const ends = new Map([[IMAGE, IMAGE]]);
  nodes.forEach((node, index) => {
    const wrong = () => new Error(`Cannot compute node ${index} of '${name}' in a layer`);
    const [source, shortcut] = node.sources.map((each) => {
      const layer = ends.get(each);
      if (layer === undefined) throw wrong();
      return layer;
    });
    const layer = layers.at(-1);
    switch (node.kind) {
      case "mean":
        if (layer === undefined || source !== layers.length - 1) throw wrong();
        return;
      case "convolution":
        layers.push({ convolution: node, source, relu: false });
        break;
      default: {
        const ahead = index - 1;
        if (layer === undefined || node.sources[0] !== ahead) throw wrong();
        if (ORDER.indexOf(node.kind) <= ORDER.indexOf(nodes[ahead].kind)) throw wrong();
        ends.delete(ahead);
        if (node.kind === "add") layer.shortcut = shortcut;
        if (node.kind === "relu") layer.relu = true;
        if (node.kind === "maxPool") layer.pool = node;
      }
    }
    ends.set(index, layers.length - 1);
  });
  return layers;
}
