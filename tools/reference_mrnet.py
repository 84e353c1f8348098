"""The reference: MRNet and its training recipe in plain PyTorch, and random inputs for it.

Everything here follows the original script, its quirks included. It is what tools/make_golden.py
makes its numbers with, what tools/train_reference.py trains with, and what benchmarks compare to.

Needs PyTorch and NumPy, and torchvision for ResNet-18.
"""

import json
import math
import struct

import numpy as np
import torch
from torch import nn


class AlexNetFeatures(nn.Module):
    """The convolutions of torchvision's AlexNet, without the classifier that MRNet never uses."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )


def resnet18_features():
    """torchvision's ResNet-18 without its classifier."""
    from torchvision.models.resnet import BasicBlock, ResNet

    class ResNet18Features(ResNet):
        def __init__(self):
            super().__init__(BasicBlock, [2, 2, 2, 2])
            del self.fc

        def features(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    return ResNet18Features()


# The convolutions of each network, and the channels of their output.
NETWORKS = {"alexnet": (AlexNetFeatures, 256), "resnet18": (resnet18_features, 512)}


class MRNet(nn.Module):
    """The original class, with the original's names (`classifer` included).

    Batch normalisation is frozen: it computes with its running mean and variance, which stay as they
    are, also in training. Its weight and bias train.
    """

    def __init__(self, network="alexnet"):
        super().__init__()
        make_features, channels = NETWORKS[network]
        self.pretrained_model = make_features()
        self.pooling_layer = nn.AdaptiveAvgPool2d(1)
        self.classifer = nn.Linear(channels, 2)

    def train(self, mode=True):
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, x):
        """x: one exam, [1, slices, 3, height, width]; returns its logits, [1, 2]."""
        x = torch.squeeze(x, dim=0)
        pooled = self.pooling_layer(self.pretrained_model.features(x))
        pooled = pooled.view(pooled.size(0), -1)
        flattened = torch.max(pooled, 0, keepdim=True)[0]
        return self.classifer(flattened)


def as_input(exam, dtype=torch.float32):
    """An exam [slices, height, width] as the network's input: one channel three times."""
    return torch.as_tensor(exam).to(dtype)[None, :, None].repeat(1, 1, 3, 1, 1)


def weighted_loss(logits, label, positive_weight):
    """The original's loss: the weight belongs to the second output, not to the exam."""
    target = torch.tensor([[1 - label, label]], dtype=logits.dtype)
    weight = torch.tensor([[1, positive_weight]], dtype=logits.dtype)
    return nn.functional.binary_cross_entropy_with_logits(logits, target, weight=weight)


def make_optimizer(model, lr=1e-5):
    """Adam with the decay added to the gradient."""
    return torch.optim.Adam(model.parameters(), lr=lr, weight_decay=0.1)


def make_scheduler(name, optimizer, gamma=0.5):
    """The scheduler of a name, as a function of the validation loss."""
    if name == "plateau":
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, patience=3, factor=0.3, threshold=1e-4
        )
        return scheduler.step
    if name == "step":
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=gamma)
        return lambda val_loss: scheduler.step()
    return lambda val_loss: None


class EarlyStopping:
    """The original's counter, raised each epoch and compared with the patience."""

    def __init__(self, patience):
        self.patience = patience
        self.best_val_loss = float("inf")
        self.iteration_change_loss = 0

    def step(self, val_loss):
        """Returns whether training ends after an epoch with this loss."""
        self.iteration_change_loss += 1
        if val_loss < self.best_val_loss:
            self.best_val_loss = val_loss
            self.iteration_change_loss = 0
        return self.iteration_change_loss == self.patience


def roc_auc(labels, scores):
    """The share of pairs in the right order, ties counting half; NaN where one class is absent.

    Quadratic, and equal to scikit-learn's roc_auc_score, which not every machine has.
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    if difference.size == 0:
        return math.nan
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def read_safetensors(path):
    """The float32 tensors of a .safetensors file, by hand: length, JSON header, values."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        content = file.read()
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}, not F32"
        begin, end = entry["data_offsets"]
        values = np.frombuffer(content[begin:end], dtype="<f4").reshape(entry["shape"])
        state[name] = torch.from_numpy(values.copy())
    return state


def write_safetensors(path, state):
    """Writes float32 tensors to a .safetensors file."""
    header, content = {}, b""
    for name, tensor in state.items():
        values = tensor.detach().numpy().astype("<f4").tobytes()
        offsets = [len(content), len(content) + len(values)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        content += values
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + content)


class Random:
    """The stream of lib/random.ts for a seed without a path: the same words in the same order."""

    def __init__(self, seed):
        self.generator = np.random.RandomState(seed)

    def bits(self, size):
        """32 random bits each, as int64."""
        return self.generator.randint(0, 2**32, size, dtype=np.uint32).astype(np.int64)

    def uniform(self, low, high, size):
        """Uniform in [low, high) with 24 bits of resolution, float64; torch.rand for 0 and 1."""
        return low + (high - low) * ((self.bits(size) & 0xFFFFFF) / 2**24)

    def integers(self, count, size):
        """Whole numbers in [0, count)."""
        return self.bits(size) * count >> 32

    def integer(self, count):
        return int(self.integers(count, 1)[0])


def seeded_state(seed, network="alexnet"):
    """Weights for MRNet from one stream, in the order of its state dict.

    The range of weights and biases is PyTorch's default, 1/sqrt(fan_in): with it the logits of an
    exam of values 0-255 are of the order of 1, far from where the sigmoid saturates. A batch
    normalisation, which would change nothing by default, gets weights of 0.5 to 1.5, variances of 0.5
    to 2, and biases and means within 0.5 of 0.
    """
    random, state = Random(seed), {}
    fan_in = None
    for name, tensor in MRNet(network).state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        layer, kind = name.rsplit(".", 1)
        if tensor.dim() > 1:
            fan_in, filters = tensor[0].numel(), layer
        if layer == filters:
            low, high = -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in)
        else:
            low, high = {"weight": (0.5, 1.5), "running_var": (0.5, 2)}.get(kind, (-0.5, 0.5))
        values = random.uniform(low, high, tensor.numel())
        state[name] = torch.from_numpy(values.astype(np.float32).reshape(tensor.shape))
    return state


def seeded_exam(seed, slices, height, width):
    """An exam with structure: round blobs that shift a little from slice to slice, and noise.

    Whole numbers throughout, so that every language computes the same bytes.
    """
    random = Random(seed)
    blobs = []
    for _ in range(10):
        row, column = random.integer(height), random.integer(width)
        radius = 4 + random.integer(min(height, width) // 3)
        blobs.append((row, column, radius, 20 + random.integer(120)))
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    exam = np.zeros((slices, height, width), dtype=np.int64)
    for image in exam:
        for row, column, radius, brightness in blobs:
            down, right = random.integer(9) - 4, random.integer(9) - 4
            squared = (rows - row - down) ** 2 + (columns - column - right) ** 2
            inside = np.maximum(radius**2 - squared, 0)
            image += inside * brightness // radius**2
        image += random.integers(16, height * width).reshape(height, width)
    return np.minimum(exam, 255).astype(np.uint8)


def make_mrnet(state, dtype=torch.float32, network="alexnet"):
    """An MRNet with these weights, ready to be trained."""
    model = MRNet(network)
    model.load_state_dict(state, strict=True)
    return model.to(dtype).train()
