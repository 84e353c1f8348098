/**
 * What a network is: a list of nodes in the order in which they are computed. Parameters, sizes,
 * receptive fields and what each engine computes follow from it.
 *
 * A network reads one slice as an image and ends with the mean of each channel over height and width.
 * The maximum over the slices and the linear layer behind it belong to MRNet, not to the network.
 */

/** A square window that moves over an image. */
export interface Window {
  /** Its height and width in pixels. */
  readonly size: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Pixels that are added at each edge of the image; no window begins further out. */
  readonly padding: number;
}

/** A convolution with a bias, or with batch normalisation instead of one. */
export interface Convolution extends Window {
  readonly kind: "convolution";
  /** PyTorch's name of it; its parameters are this name with `.weight` and `.bias`. */
  readonly name: string;
  /** Output channels. */
  readonly outputs: number;
  /**
   * PyTorch's name of the batch normalisation of its output. Its running statistics do not change, its
   * weight and bias are parameters.
   * @default none: the convolution has a bias
   */
  readonly batchNorm?: string;
}

/** The maximum over each window; what is added at the edges is never the largest. */
export interface MaxPool extends Window {
  readonly kind: "maxPool";
}

/** Values below 0 become 0. */
export interface ReLU {
  readonly kind: "relu";
}

/** The sum of two outputs of the same shape: the end of a shortcut. */
export interface Add {
  readonly kind: "add";
  /** The name of the node whose output is added to the input. */
  readonly shortcut: string;
}

/** The mean over height and width. */
export interface Mean {
  readonly kind: "mean";
}

/** What a node computes. */
export type Operation = Convolution | MaxPool | ReLU | Add | Mean;

/** A node as a network's file writes it. */
export type NodeDescription = Operation & {
  /** Its name, unique in the network. A node that no other refers to needs none. */
  readonly name?: string;
  /**
   * The name of the node whose output it reads.
   * @default the node ahead of it; of the first one the image
   */
  readonly input?: string;
};

/** The source that is no node: the network's image. */
export const IMAGE = -1;

/** A node of a network. */
export type Node = NodeDescription & {
  /** The indices of the nodes whose outputs it reads, or {@linkcode IMAGE}; an addition has two. */
  readonly sources: readonly number[];
  /** Input channels. */
  readonly inputs: number;
  /** Output channels. */
  readonly outputs: number;
};

/** A network as its file writes it. */
export interface NetworkDescription {
  /** Its name, as torchvision spells it. */
  readonly name: string;
  /** Its name in a text, such as `AlexNet`. */
  readonly title: string;
  /**
   * The file of the weights that torchvision trained on ImageNet. Its name carries its hash.
   * @default none
   */
  readonly imageNetFile?: string;
  /** What torchvision calls its modules in names of tensors, such as `features.`. */
  readonly modules: {
    /** That of the convolutions; empty if it is the network itself. */
    readonly features: string;
    /** That of the classifier behind them, which MRNet's linear layer takes the place of. */
    readonly classifier: string;
  };
  /** Channels of the image. */
  readonly inputs: number;
  /** In the order in which they are computed. */
  readonly nodes: readonly NodeDescription[];
}

/** A network. */
export interface Network extends NetworkDescription {
  readonly nodes: readonly Node[];
  /** Channels of the features, of which the last node takes the means: the inputs of the head. */
  readonly channels: number;
}

/**
 * Makes a network of its description.
 *
 * @throws {Error} if a node's name is there twice or refers to no node ahead, channels that are added
 * differ, or the mean is not the last node and no other
 */
export function network(description: NetworkDescription): Network {
  const { name, inputs, nodes } = description;
  const wrong = (index: number, found: string) =>
    new Error(`Cannot describe the network '${name}': node ${index}: ${found}`);
  const indices = new Map<string, number>();
  const made: Node[] = [];
  nodes.forEach((node, index) => {
    const indexOf = (name: string) => {
      const found = indices.get(name);
      if (found === undefined) throw wrong(index, `no node ahead has the name '${name}'`);
      return found;
    };
    const sources = [node.input === undefined ? index - 1 : indexOf(node.input)];
    if (node.kind === "add") sources.push(indexOf(node.shortcut));
    const channels = sources.map((source) => source === IMAGE ? inputs : made[source].outputs);
    if (channels.some((each) => each !== channels[0])) {
      throw wrong(index, `${channels.join(" channels are added to ")}`);
    }
    if ((node.kind === "mean") !== (index === nodes.length - 1)) {
      throw wrong(index, "the mean has to be the last node and no other");
    }
    const outputs = node.kind === "convolution" ? node.outputs : channels[0];
    made.push({ ...node, sources, inputs: channels[0], outputs });
    if (node.name === undefined) return;
    if (indices.has(node.name)) throw wrong(index, `the name '${node.name}' is there twice`);
    indices.set(node.name, index);
  });
  if (made.length === 0) throw wrong(0, "there is none");
  return { ...description, channels: made.at(-1)!.outputs, nodes: made };
}
