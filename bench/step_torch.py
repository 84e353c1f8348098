"""Times the reference's training step in PyTorch and prints one JSON line; the benches call it.

usage: step_torch.py SLICES SIZE REPEATS THREADS [DEVICE [NETWORK]]

DEVICE is cpu, or auto: the graphics card where PyTorch sees one. On a card, too, all is float32: TF32,
which PyTorch's convolutions would use otherwise, has ten bits of mantissa. There a call is timed among
many, of which the last is waited for, and by itself; on a processor there is no difference.

NETWORK is alexnet, the default, resnet18 or resnet34, whose batch normalisations keep their statistics.
"""

import json
import resource
import sys
import time

import torch
from torchvision import models

slices, size, repeats, threads = map(int, sys.argv[1:5])
torch.set_num_threads(threads)
wanted = sys.argv[5] if len(sys.argv) > 5 else "cpu"
network = sys.argv[6] if len(sys.argv) > 6 else "alexnet"
device = "cuda" if wanted == "auto" and torch.cuda.is_available() else "cpu"
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_tf32 = False
torch.manual_seed(1)


class MRNet(torch.nn.Module):
    """The reference's network, with random weights: their values do not change the time."""

    def __init__(self):
        super().__init__()
        if network.startswith("resnet"):
            whole = getattr(models, network)(weights=None)
            self.features = torch.nn.Sequential(*list(whole.children())[:-2])
        else:
            self.features = models.alexnet(weights=None).features
        self.pooling_layer = torch.nn.AdaptiveAvgPool2d(1)
        self.classifer = torch.nn.Linear(512 if network.startswith("resnet") else 256, 2)

    def forward(self, exam):
        pooled = self.pooling_layer(self.features(exam)).flatten(1)
        return self.classifer(torch.max(pooled, 0, keepdim=True)[0])


model = MRNet().to(device)
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.eval()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-5, weight_decay=0.1)
criterion = torch.nn.BCEWithLogitsLoss(weight=torch.tensor([1.0, 3.0], device=device))
exam = torch.randint(0, 256, (slices, 1, size, size)).float().repeat(1, 3, 1, 1).to(device)
target = torch.tensor([[0.0, 1.0]], device=device)


def step():
    optimizer.zero_grad()
    criterion(model(exam), target).backward()
    optimizer.step()


def forward():
    with torch.no_grad():
        model(exam)


def finish():
    if device == "cuda":
        torch.cuda.synchronize()


def best_of(work, calls=1):
    """The least seconds of a call, by the clock and by the processor."""
    work()
    finish()
    seconds = []
    processor = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        for _ in range(calls):
            work()
        finish()
        seconds.append((time.perf_counter() - start[0]) / calls)
        processor.append((time.process_time() - start[1]) / calls)
    return min(seconds), min(processor)


def together(work, alone):
    """The seconds of a call among as many as take about two seconds."""
    if device == "cpu":
        return alone
    return best_of(work, max(1, min(400, round(2 / alone))))[0]


(step_alone, work), (forward_alone, _) = best_of(step), best_of(forward)
name = torch.cuda.get_device_name() if device == "cuda" else f"{threads} threads"
timings = {"version": torch.__version__, "device": name, "work": work}
has_cpu = hasattr(torch.backends, "cpu")
timings["vectors"] = torch.backends.cpu.get_cpu_capability() if has_cpu else ""
timings |= {"step": together(step, step_alone), "stepAlone": step_alone}
timings |= {"forward": together(forward, forward_alone), "forwardAlone": forward_alone}
timings["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
if device == "cuda":
    timings["gpuPeak"] = torch.cuda.max_memory_allocated() / 1e6
print(json.dumps(timings))
