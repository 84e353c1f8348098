/**
 * The convolutions of ResNet-18 and ResNet-34, as torchvision has them.
 *
 * Source: K. He et al., Deep residual learning for image recognition, CVPR 2016.
 */
import { type Network, network, type NodeDescription } from "./network.ts";

/** The four groups of blocks: output channels, and the stride of the first block. */
const GROUPS = [[64, 1], [128, 2], [256, 2], [512, 2]] as const;

/**
 * Two convolutions of 3×3 and a shortcut around them. Where the stride is 2 the shortcut has a
 * convolution of 1×1 too.
 *
 * @param name the block's, and that of its last node
 * @param ahead the name of the node that the block reads
 */
function block(name: string, ahead: string, outputs: number, stride: number): NodeDescription[] {
  const convolution = (name: string, batchNorm: string, size: number, stride: number) => {
    const padding = (size - 1) / 2;
    return { kind: "convolution", name, batchNorm, outputs, size, stride, padding } as const;
  };
  const [second, downsample] = [`${name}.conv2`, `${name}.downsample`];
  return [
    convolution(`${name}.conv1`, `${name}.bn1`, 3, stride),
    { kind: "relu" },
    convolution(second, `${name}.bn2`, 3, 1),
    ...stride === 1 ? [] : [
      { ...convolution(`${downsample}.0`, `${downsample}.1`, 1, stride), input: ahead },
    ],
    { kind: "add", shortcut: stride === 1 ? ahead : second },
    { kind: "relu", name },
  ];
}

/** What tells one ResNet of such blocks from another. */
interface ResNet {
  name: string;
  title: string;
  imageNetFile: string;
  /** How many blocks each of the four groups has. */
  blocks: readonly number[];
}

/** A ResNet of blocks of two convolutions. */
function resnet({ blocks, ...names }: ResNet): Network {
  return network({
    ...names,
    modules: { features: "", classifier: "fc." },
    inputs: 3,
    nodes: [
      {
        ...{ kind: "convolution", name: "conv1", batchNorm: "bn1" },
        ...{ outputs: 64, size: 7, stride: 2, padding: 3 },
      },
      { kind: "relu" },
      { kind: "maxPool", name: "maxpool", size: 3, stride: 2, padding: 1 },
      ...GROUPS.flatMap(([outputs, stride], group) =>
        Array.from({ length: blocks[group] }, (_, index) => {
          const layer = `layer${group + 1}`;
          const before = group === 0 ? "maxpool" : `layer${group}.${blocks[group - 1] - 1}`;
          return index === 0
            ? block(`${layer}.0`, before, outputs, stride)
            : block(`${layer}.${index}`, `${layer}.${index - 1}`, outputs, 1);
        }).flat()
      ),
      { kind: "mean" },
    ],
  });
}

/** The deeper network: 512 channels, 8×8 of slices of 256×256. */
export const RESNET18: Network = resnet({
  name: "resnet18",
  title: "ResNet-18",
  imageNetFile: "resnet18-f37072fd.pth",
  blocks: [2, 2, 2, 2],
});

/** The same with twice the blocks. */
export const RESNET34: Network = resnet({
  name: "resnet34",
  title: "ResNet-34",
  imageNetFile: "resnet34-b627a593.pth",
  blocks: [3, 4, 6, 3],
});
