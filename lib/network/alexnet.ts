/**
 * AlexNet's convolutions, in torchvision's variant.
 *
 * Source: A. Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.
 */
import { type MaxPool, type Network, network } from "./network.ts";

const POOL: MaxPool = { kind: "maxPool", size: 3, stride: 2, padding: 0 };

/** The network of MRNet's paper: 256 channels, 7×7 of slices of 256×256. */
export const ALEXNET: Network = network({
  name: "alexnet",
  title: "AlexNet",
  imageNetFile: "alexnet-owt-7be5be79.pth",
  modules: { features: "features.", classifier: "classifier." },
  inputs: 3,
  nodes: [
    { kind: "convolution", name: "features.0", outputs: 64, size: 11, stride: 4, padding: 2 },
    { kind: "relu" },
    POOL,
    { kind: "convolution", name: "features.3", outputs: 192, size: 5, stride: 1, padding: 2 },
    { kind: "relu" },
    POOL,
    { kind: "convolution", name: "features.6", outputs: 384, size: 3, stride: 1, padding: 1 },
    { kind: "relu" },
    { kind: "convolution", name: "features.8", outputs: 256, size: 3, stride: 1, padding: 1 },
    { kind: "relu" },
    { kind: "convolution", name: "features.10", outputs: 256, size: 3, stride: 1, padding: 1 },
    { kind: "relu" },
    POOL,
    { kind: "mean" },
  ],
});
