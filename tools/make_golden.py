"""Makes the reference numbers of tests/golden/ with PyTorch: all of them but roc.json.

    python3 tools/make_golden.py [network resnet18 ties decisions augment initial_weights whole_run]
    python3 tools/make_golden.py --tensors CASE FILE

The second form writes the full gradients and parameters of one case of network.json, which are too
large to keep, to a .safetensors file.

Needs PyTorch and NumPy, and torchvision for ResNet-18; where it is there it confirms AlexNet's layers.
"""

import json
import pathlib
import sys

import numpy as np
import torch

from reference_mrnet import (
    EarlyStopping,
    MRNet,
    Random,
    as_input,
    make_mrnet,
    make_optimizer,
    make_scheduler,
    seeded_exam,
    seeded_state,
    weighted_loss,
    write_safetensors,
)
from train_reference import read_dataset, train

ROOT = pathlib.Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"

# Weight of the second output in the loss, and the seed of all weights.
POSITIVE_WEIGHT = 3.5
WEIGHTS_SEED = 1
STEPS = 10

# What is compared: slices, height, width, and the seed of the first exam. The seeds were chosen so
# that no maximum leads by a margin as small as float32 rounding. If one did, PyTorch in float32 would
# differ from PyTorch in float64 by more than is to be shown here.
CASES = {
    "2x64x64": (2, 64, 64, 100),
    "1x256x256": (1, 256, 256, 200),
    "7x224x240": (7, 224, 240, 310),
    "32x80x72": (32, 80, 72, 400),
}

# The same of ResNet-18. The seeds are without near ties in float32, as above: of 7 slices the largest
# mean of each channel leads by 1e-5 at least. Seed 200 is an example of one that has a tie: of 7 slices
# of 256x256 two are equal in a channel but for rounding, and the gradients of PyTorch in float32 are 1e-3
# from those in float64, instead of the 3e-6 of seed 310.
RESNET18_CASES = {
    "2x64x64": (2, 64, 64, 310),
    "1x256x256": (1, 256, 256, 310),
    "7x256x256": (7, 256, 256, 310),
    "1x224x240": (1, 224, 240, 320),
    "7x224x240": (7, 224, 240, 320),
}

# The sketch of a tensor: see `sketch`. ResNet-18 has five times as many tensors, so less is kept of each.
SKETCH_SEED = 1000
SKETCH = {"buckets": 64, "samples": 16, "digits": 9}
SMALL_SKETCH = {"buckets": 32, "samples": 2, "digits": 7}


def digits(values, count=9):
    """Numbers with so many significant digits, which keeps the files small."""
    return [float(f"{value:.{count}g}") for value in np.asarray(values, dtype=np.float64).flat]


def sketch(tensor, index, kept=SKETCH):
    """What is kept of the tensor of the parameter with this index.

    Every value is added, with a random sign, to one of 64 random buckets (a count sketch: M.
    Charikar et al., Finding frequent items in data streams, 2002). The sketch S is linear, so the
    sketch of a difference d is the difference of the sketches, and |S(d)| estimates |d|: the mean
    of |S(d)|^2 over the draws is |d|^2, its standard deviation at most sqrt(2/64) of that, 18 %.
    Every element takes part, so any permutation, wrong sign or wrong scale shows; a difference
    twice as large as the tolerance has a chance of about 10^-9 to stay below it, with 32 buckets
    5 * 10^-6. Where there are no more values than buckets the sketch holds each of them.

    The samples are single values, for a reader.
    """
    values = tensor.detach().double().numpy().ravel()
    random = Random(SKETCH_SEED + index)
    positions = random.integers(values.size, kept["samples"])
    words = random.bits(values.size)
    signs = 1 - 2 * (words >> 6 & 1)
    count = kept["buckets"]
    buckets = words & (count - 1) if values.size > count else np.arange(values.size)
    sums = np.bincount(buckets, weights=signs * values, minlength=min(count, values.size))
    return {
        "norm": digits([np.linalg.norm(values)])[0],
        "samples": digits(values[positions], 7),
        "sketch": digits(sums, kept["digits"]),
    }


def sketches(tensors, kept=SKETCH):
    return {name: sketch(tensor, i, kept) for i, (name, tensor) in enumerate(tensors.items())}


def copies(model, gradients=False):
    """The parameters of a model, or their gradients, as they are now."""
    return {
        name: (p.grad if gradients else p).detach().clone() for name, p in model.named_parameters()
    }


def gradient(model, exam, label, dtype):
    """Leaves the gradient of one exam in the model; returns its logits and loss."""
    logits = model(as_input(exam, dtype))
    loss = weighted_loss(logits, label, POSITIVE_WEIGHT)
    model.zero_grad()
    loss.backward()
    return logits.detach(), loss.item()


def run_case(slices, height, width, seed, dtype=torch.float32, name="alexnet", steps=STEPS):
    """Everything about one case of a network. Step i reads exam seed + i; those of even steps are
    positive."""
    state = seeded_state(WEIGHTS_SEED, name)
    model = make_mrnet(state, dtype, name)
    optimizer = make_optimizer(model)
    exam = seeded_exam(seed, slices, height, width)
    logits, absent = gradient(model, exam, 0, dtype)
    result = {"logits": logits, "initial": copies(model), "gradient_absent": copies(model, True)}
    losses = []
    for step in range(steps):
        exam = seeded_exam(seed + step, slices, height, width)
        _, loss = gradient(model, exam, 1 - step % 2, dtype)
        losses.append(loss)
        if step == 0:
            result["gradient_present"] = copies(model, True)
        optimizer.step()
        if step == 0:
            result["parameters_1"] = copies(model)
    if steps == STEPS:
        result["parameters_10"] = copies(model)
    result["losses"] = [absent, *losses]
    return result


def difference(ours, theirs, base=None):
    """The largest relative L2 difference over the parameters, or over their change from `base`."""

    def relative(name):
        reference = theirs[name].double()
        change = reference if base is None else reference - base[name].double()
        return ((ours[name].double() - reference).norm() / change.norm()).item()

    return max(map(relative, theirs))


def own_rounding(single, double):
    """How far PyTorch in float32 is from PyTorch in float64, as far as the latter went."""
    relative = lambda a, b: np.max(np.abs(np.subtract(a, b) / b))
    groups = ("gradient_absent", "gradient_present")
    gradients = [difference(single[group], double[group]) for group in groups]
    losses = np.array(double["losses"])
    differences = {
        "logits": relative(single["logits"].double().numpy(), double["logits"].numpy()),
        "losses": relative(np.array(single["losses"])[: losses.size], losses),
        "gradients": max(gradients),
        "parameters_1": difference(single["parameters_1"], double["parameters_1"]),
    }
    if "parameters_10" in double:
        after = [single["parameters_10"], double["parameters_10"]]
        differences["parameters_10"] = difference(*after)
        differences["change_10"] = difference(*after, double["initial"])
    return {name: digits([value], 2)[0] for name, value in differences.items()}


def network():
    """Logits, losses, gradients and parameters of each case."""
    small = lambda slices, height, width, seed: slices * height * width <= 2**16
    groups = ("gradient_present", "parameters_1", "parameters_10")
    return _network("alexnet", CASES, SKETCH, groups, has_absent=small)


def resnet18():
    """The same of ResNet-18, but for the parameters after one step. PyTorch is slow in float64: all steps
    are taken with small exams, one with others of one slice, none with the rest."""

    def double_steps(slices, height, width, seed):
        return STEPS if slices * height * width <= 2**14 else 1 if slices == 1 else 0

    groups = ("gradient_present", "parameters_10")
    return _network("resnet18", RESNET18_CASES, SMALL_SKETCH, groups, double_steps=double_steps)


def _network(
    name, sizes, kept, groups, has_absent=lambda *size: False, double_steps=lambda *size: STEPS
):
    cases = []
    for case_name, size in sizes.items():
        single = run_case(*size, name=name)
        slices, height, width, seed = size
        case = {"name": case_name, "seed": seed}
        case.update(slices=slices, height=height, width=width)
        case["logits"] = digits(single["logits"])
        case["losses"] = digits(single["losses"])
        if has_absent(*size):
            case["gradient_absent"] = sketches(single["gradient_absent"], kept)
        for group in groups:
            case[group] = sketches(single[group], kept)
        if (steps := double_steps(*size)) > 0:
            double = run_case(*size, dtype=torch.float64, name=name, steps=steps)
            case["own_rounding"] = own_rounding(single, double)
        cases.append(case)
        print(case_name, case["logits"], case["losses"], case.get("own_rounding"), flush=True)
    about = {"network": name, "positive_weight": POSITIVE_WEIGHT, "weights_seed": WEIGHTS_SEED}
    about.update(steps=STEPS, sketch_seed=SKETCH_SEED)
    return {**about, "buckets": kept["buckets"], "samples": kept["samples"], "cases": cases}


def ties():
    """Gradients where several values are the largest."""
    random = Random(21)
    whole = lambda *shape, count: torch.from_numpy(
        random.integers(count, int(np.prod(shape))).reshape(shape).astype(np.float32)
    )
    pools = []
    for height, width, count in ((7, 7, 2), (9, 11, 3), (15, 8, 1)):
        x = whole(1, 2, height, width, count=count).requires_grad_()
        y = torch.nn.functional.max_pool2d(x, 3, 2)
        dy = whole(*y.shape, count=100) + 1
        y.backward(dy)
        tensors = {"x": x, "y": y, "dy": dy, "dx": x.grad}
        pools.append({name: t.detach().int().tolist() for name, t in tensors.items()})
    x = whole(6, 8, count=3).requires_grad_()
    y = torch.max(x, 0, keepdim=True)[0]
    dy = whole(*y.shape, count=100) + 1
    y.backward(dy)
    tensors = {"x": x, "y": y, "dy": dy, "dx": x.grad}
    slices = {name: t.detach().int().tolist() for name, t in tensors.items()}
    # A whole exam: an even background, and its first slice again as the last.
    exam = seeded_exam(31, 3, 64, 64)
    exam[exam < 60] = 0
    exam[2] = exam[0]
    model = make_mrnet(seeded_state(WEIGHTS_SEED))
    logits, _ = gradient(model, exam, 1, torch.float32)
    network = {"seed": 31, "background": 60, "even": digits([(exam == 0).mean()], 3)[0]}
    network.update(logits=digits(logits), gradient_present=sketches(copies(model, True)))
    return {"max_pool": pools, "max_over_slices": slices, "network": network}


# Name, learning rate at the start, gamma.
SCHEDULES = (
    ("plateau", 1e-5, None),
    ("plateau", 1e-3, None),
    ("step", 1e-5, 0.5),
    ("step", 1e-3, 0.9),
)


def loss_curves():
    """Validation losses of made-up trainings, with four decimals as the recipe rounds them."""
    random = Random(11)
    threshold = 1 - 1e-4
    walk = np.maximum(0.7 + np.cumsum(random.uniform(-0.02, 0.018, 60)), 0.01)
    return {
        "falls all the time": np.linspace(0.8, 0.1, 20),
        "rises all the time": np.linspace(0.3, 0.9, 20),
        "never changes": np.full(60, 0.6931),
        "the best is repeated": [0.5, 0.4, 0.4, 0.4, 0.4, 0.39, 0.39, 0.39, 0.39, 0.39, 0.38],
        "just within and beyond the threshold": [
            0.8, 0.8 * threshold, 0.79991, 0.7999, 0.79982, 0.8 * threshold**2, 0.7998, 0.79979,
            0.5, 0.49995, 0.4999, 0.49985, 0.4998, 0.49975, 0.4997, 0.49965, 0.4996,
        ],
        "small steps down": np.round(0.6 - 0.00002 * np.arange(40), 4),
        "improves in the last moment": [0.7, 0.71, 0.72, 0.73, 0.69, 0.7, 0.71, 0.72, 0.73, 0.74],
        "saw": [0.5 + (0.05, 0.1, 0.02, -0.001 * i)[i % 4] for i in range(40)],
        "zero": [0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0],
        "random walk": np.round(walk, 4),
        "noisy descent": np.round(0.7 * 0.97 ** np.arange(50) + random.uniform(0, 0.1, 50), 4),
    }


def decisions():
    """What schedules and early stop decide, and what NumPy rounds to."""
    curves = []
    for name, losses in loss_curves().items():
        losses = [float(loss) for loss in losses]
        curve = {"name": name, "losses": losses, "rates": [], "stops": []}
        for schedule, lr, gamma in SCHEDULES:
            optimizer = torch.optim.Adam([torch.zeros(1)], lr=lr)
            step = make_scheduler(schedule, optimizer, gamma)
            rates = []
            for loss in losses:
                optimizer.step()
                step(loss)
                rates.append(optimizer.param_groups[0]["lr"])
            curve["rates"].append({"schedule": schedule, "lr": lr, "gamma": gamma, "after": rates})
        for patience in (1, 3, 5, 10):
            stopping = EarlyStopping(patience)
            epochs = [i + 1 for i, loss in enumerate(losses) if stopping.step(loss)]
            # Null where training goes on to the end.
            curve["stops"].append({"patience": patience, "epoch": epochs[0] if epochs else None})
        curves.append(curve)
    random = Random(12)
    ties = [(i + 0.5) * 1e-4 for i in range(40)]
    powers = [i / 2**k for i in range(9) for k in range(1, 15)]
    others = [*np.negative(ties), *random.uniform(0, 3, 100), 1, 0.5, 123456.78905, 4e11 + 0.3]
    values = np.array([*ties, *powers, *others])
    rounded = np.round(values, 4)
    return {"curves": curves, "values": values.tolist(), "rounded": rounded.tolist()}


def resampled(exam, degrees, down, right, flip):
    """An exam rotated about its centre, then shifted, then flipped, by `grid_sample`.

    The rotation turns the x axis (to the right) towards the y axis (downwards). The three steps are
    3x3 matrices that move a point; the inverse of their product says where a pixel comes from.
    """
    slices, height, width = exam.shape
    angle = np.deg2rad(degrees)
    to_centre = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
    rotate = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    shift = np.array([[1, 0, right], [0, 1, down], [0, 0, 1]])
    mirror = np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]]) if flip else np.eye(3)
    forward = mirror @ shift @ np.linalg.inv(to_centre) @ rotate @ to_centre
    y, x = np.mgrid[:height, :width]
    source = np.linalg.inv(forward) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    # grid_sample wants -1 at the centre of the first pixel and 1 at that of the last.
    grid = source[:2].T.reshape(1, height, width, 2) / [(width - 1) / 2, (height - 1) / 2] - 1
    return torch.nn.functional.grid_sample(
        torch.from_numpy(exam.astype(np.float64))[None],
        torch.from_numpy(grid),
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )[0]


def augment():
    """Exams resampled by fixed angles, shifts and flips."""
    cases = []
    for slices, height, width, degrees, down, right, flip in (
        (2, 13, 18, 0, 0, 0, False),
        (2, 13, 18, 0, 0, 0, True),
        (2, 13, 18, 0, 2, -3, False),
        (3, 13, 18, 10, 0, 0, False),
        (3, 14, 17, -25, 0, 0, False),
        (3, 14, 17, 25, 1.4, -1.7, False),
        (3, 14, 17, -17.3, -1.53, 1.96, True),
        (1, 15, 15, 90, 0, 0, False),
        (2, 16, 16, 25, 1.76, 1.76, True),
    ):
        exam = Random(41).integers(256, slices * height * width).reshape(slices, height, width)
        case = {"slices": slices, "height": height, "width": width}
        case.update(degrees=degrees, down=down, right=right, flip=flip)
        case["values"] = digits(resampled(exam, degrees, down, right, flip), 6)
        cases.append(case)
    # What the network says of a resampled exam, for steps that resample and compute in one go.
    model = make_mrnet(seeded_state(WEIGHTS_SEED))
    steps = []
    for degrees, down, right, flip in (
        (0, 0, 0, False),
        (0, 0, 0, True),
        (-12.5, 0, 0, False),
        (0, 4.4, -6.25, False),
        (25, -7.9, 8.8, True),
    ):
        exam = resampled(seeded_exam(42, 3, 72, 80), degrees, down, right, flip)
        logits = digits(model(as_input(exam)).detach())
        change = {"degrees": degrees, "down": down, "right": right, "flip": flip}
        steps.append({"slices": 3, "height": 72, "width": 80, **change, "logits": logits})
    return {"seed": 41, "cases": cases, "step_seed": 42, "steps": steps}


def initial_weights():
    """How PyTorch's layers draw their parameters by default."""
    torch.manual_seed(0)
    return {
        name: {"largest": p.abs().max().item(), "deviation": p.double().std(unbiased=False).item()}
        for name, p in MRNet().named_parameters()
    }


def whole_run():
    """Trainings: on the dataset in tests/fixtures, and on seeded exams labelled by chance."""
    fixture = ROOT / "tests" / "fixtures" / "numpy_dataset"
    sets = [read_dataset(fixture, split, "meniscus", "coronal") for split in ("train", "valid")]
    options = {"epochs": 4, "lr": 1e-5, "lr_scheduler": "step", "gamma": 0.5, "patience": 5}
    runs = {"fixture": _train(sets, options), "resnet18": _train(sets, options, "resnet18")}
    sizes = {"slices": 2, "height": 64, "width": 64}
    labels = [Random(51).integers(2, 12).tolist(), Random(52).integers(2, 12).tolist()]
    sets = [
        ([seeded_exam(first + i, **sizes) for i in range(len(own))], own)
        for first, own in zip((500, 600), labels)
    ]
    options = {"epochs": 12, "lr": 1e-5, "lr_scheduler": "plateau", "gamma": 0.5, "patience": 5}
    seeded = {**sizes, "train_seed": 500, "valid_seed": 600, "labels": labels}
    runs["seeded"] = {**_train(sets, options), **seeded}
    return {"weights_seed": WEIGHTS_SEED, **runs}


def _train(sets, options, name="alexnet"):
    """Losses and AUCs of each epoch, and how far those in float32 are from those in float64."""
    state = seeded_state(WEIGHTS_SEED, name)
    single, double = [
        list(train(make_mrnet(state, dtype, name), *sets, **options))
        for dtype in (torch.float32, torch.float64)
    ]
    assert len(single) == len(double)
    own = {"epochLoss": 0, "epochAuc": 0}
    for a, b in zip(single, double):
        del a["seconds"]
        print(a)
        for split in ("train", "val"):
            loss, auc = f"{split}_loss", f"{split}_auc"
            own["epochLoss"] = max(own["epochLoss"], abs(a[loss] / b[loss] - 1))
            own["epochAuc"] = max(own["epochAuc"], abs(a[auc] - b[auc]))
    own_rounding = {name: digits([value], 2)[0] for name, value in own.items()}
    print(own_rounding)
    return {"options": options, "epochs": single, "own_rounding": own_rounding}


def write_tensors(name, path):
    """The full tensors of one case: gradients and parameters, the group's name before each."""
    result = run_case(*CASES[name])
    groups = ("gradient_present", "parameters_1", "parameters_10")
    write_safetensors(path, {f"{group}/{k}": t for group in groups for k, t in result[group].items()})


def check_network():
    """Holds the network's layers against torchvision's, where it is installed."""
    try:
        from torchvision.models import alexnet
    except ImportError:
        return
    assert str(alexnet().features) == str(MRNet().pretrained_model.features)


def main(arguments):
    torch.set_num_threads(1)
    if arguments[:1] == ["--tensors"]:
        return write_tensors(*arguments[1:])
    check_network()
    makers = [network, resnet18, ties, decisions, augment, initial_weights, whole_run]
    for make in makers:
        if arguments and make.__name__ not in arguments:
            continue
        path = GOLDEN / f"{make.__name__}.json"
        content = {"made_by": f"PyTorch {torch.__version__}, NumPy {np.__version__}", **make()}
        path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
