"""Writes the small PyTorch files that the tests of lib/model/weights read, and the values in them.

    python3 tools/make_weight_fixtures.py

Needs PyTorch; version 1.13 wrote the files that are kept in tests/fixtures/weights. Every form in
which torch.save puts weights is here, with networks of a few numbers: the readers do not care how
large a network is. What a correct reader finds is in expected.jsonl, a line a file.
The legacy form names storages by their address, so these files differ from run to run in that.
"""
import argparse
import collections
import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "weights")
# The legacy form keeps the source code of every class with a module; here a line stands for it.
torch.serialization.get_source_lines_and_file = lambda *_: (["class MRNet: ...\n"], 1, "model.py")

LEGACY = {"_use_new_zipfile_serialization": False}
expected = {}


class MRNet(nn.Module):
    """The original's structure with a few numbers: features, a pool, the misspelt classifier."""

    def __init__(self):
        super().__init__()
        self.pretrained_model = nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.Dropout()
        )
        self.pooling_layer = nn.AdaptiveAvgPool2d(1)
        self.classifer = nn.Linear(2, 2)
        self.register_buffer("scale", torch.tensor([0.5, 2.0]))
        self.register_buffer("passing", torch.zeros(3), persistent=False)


class Unlisted(nn.Module):
    """A class of somebody's own, which no reader can know."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)


def move(cls, module):
    """Lets a class be pickled as a member of another module."""
    cls.__module__ = module
    names = module.split(".")
    for end in range(1, len(names) + 1):
        name = ".".join(names[:end])
        sys.modules.setdefault(name, types.ModuleType(name))
    setattr(sys.modules[module], cls.__name__, cls)


def values(state):
    """The floating-point tensors of a state dict as JSON."""
    return {
        name: {"shape": list(t.shape), "values": t.float().flatten().tolist()}
        for name, t in state.items()
        if t.is_floating_point()
    }


def save(name, what, state=None, **options):
    torch.save(what, os.path.join(FOLDER, name), **options)
    if state is not None:
        expected[name] = values(state)


def state_dicts():
    net = MRNet()
    state = net.state_dict()
    save("state_dict.pth", state, state)
    save("state_dict_legacy.pth", state, state, **LEGACY)
    for protocol in (3, 4, 5):
        save(f"state_dict_protocol{protocol}.pth", state, state, pickle_protocol=protocol)
    save("data_parallel.pth", nn.DataParallel(net).state_dict(), nn.DataParallel(net).state_dict())


def whole_modules():
    net = MRNet()
    for module in ("model", "__main__", "mrnet.networks.model"):
        move(MRNet, module)
        save(f"module_{module.split('.')[0].strip('_')}.pth", net, net.state_dict())
    move(MRNet, "model")
    net.pretrained_model[0].weight.grad = torch.ones_like(net.pretrained_model[0].weight)
    save("module_legacy.pth", net, net.state_dict(), **LEGACY)
    save("module_protocol4.pth", net, net.state_dict(), pickle_protocol=4)
    parallel = nn.DataParallel(net)
    save("module_data_parallel.pth", parallel, parallel.state_dict())
    move(Unlisted, "elsewhere")
    save("module_unlisted.pth", Unlisted())


def checkpoints():
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-5, weight_decay=0.1)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
    state = net.state_dict()
    everything = {
        "epoch": 7,
        "best": -(2**70),
        "score": float("inf"),
        "done": True,
        "note": "größer als zuvor",
        "raw": b"\x00\xff",
        "sizes": {3, 1},
        "history": collections.defaultdict(list, {"loss": [0.5, 0.25]}),
        "args": argparse.Namespace(task="acl", gpu=None),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "shape": torch.Size([2, 1]),
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
    }
    save("checkpoint.pth", {**everything, "state_dict": state}, state)
    save("checkpoint_legacy.pth", {**everything, "model_state_dict": state}, state, **LEGACY)
    save("checkpoint_module.pth", {"epoch": 1, "model": net}, state)
    save("checkpoint_unusual.pth", {"optim": optimizer.state_dict(), "mrnet": state}, state)
    save("checkpoint_several.pth", {"axial": state, "coronal": nn.Linear(2, 1).state_dict()})
    save("checkpoint_none.pth", {"epoch": 3, "loss": [1.0, 2.0]})
    try:
        import numpy

        save("checkpoint_numpy.pth", {"auc": numpy.float64(0.9), "net": state}, state)
    except ImportError:
        print("no numpy: checkpoint_numpy.pth is not written", file=sys.stderr)


def tensors():
    numbers = torch.tensor([0.0, -1.5, 3.1415927, 6.1e-5, 65504.0, float("inf")])
    kinds = {
        "half": numbers.half(),
        "brain": numbers.bfloat16(),
        "double": numbers.double() * (1 + 1e-12),
        "single": numbers,
        "steps": torch.tensor(12345678901),
        "mask": torch.tensor([True, False]),
    }
    save("types.pth", kinds, kinds)
    save("types_legacy.pth", kinds, kinds, **LEGACY)
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    windows = {
        "base": base,
        "transposed": base.permute(2, 0, 1),
        "slice": base[1, :, 1:3],
        "every_other": base[:, ::2, ::3],
        "row": base[1, 2],
        "single": base[1, 1, 1],
        "expanded": base[0, :, :1].expand(3, 5),
        "empty": base[:0],
        "alone": torch.arange(6.0).half().reshape(2, 3).t(),
    }
    save("windows.pth", windows, windows)
    save("windows_legacy.pth", windows, windows, **LEGACY)
    parameter = {"weight": nn.Parameter(base[0]), "bias": nn.Parameter(base[1, 0], False)}
    save("parameters.pth", parameter, parameter)


def storage_views():
    """The legacy form with views of storages, which PyTorch wrote before 0.4 and still reads."""
    storage = torch.arange(10, dtype=torch.float32).storage()

    class View:
        def __init__(self, first, count):
            self.first, self.count = first, count

    class Window:
        def __init__(self, view, shape):
            self.view, self.shape = view, shape

        def __reduce__(self):
            hooks = collections.OrderedDict()
            stride = (self.shape[1], 1)
            args = (self.view, 0, self.shape, stride, False, hooks)
            return torch._utils._rebuild_tensor_v2, args

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, View):
                return None
            view = (f"v{item.first}", item.first, item.count)
            return ("storage", torch.FloatStorage, "root", "cpu", 10, view)

    content = {"first": Window(View(0, 4), (2, 2)), "last": Window(View(4, 6), (2, 3))}
    path = os.path.join(FOLDER, "storage_views_legacy.pth")
    with open(path, "wb") as file:
        for value in (
            0x1950A86A20F9469CFC6C,
            1001,
            {"protocol_version": 1001, "little_endian": True, "type_sizes": {}},
        ):
            pickle.dump(value, file, protocol=2)
        Pickler(file, protocol=2).dump(content)
        pickle.dump(["root"], file, protocol=2)
        file.write(struct.pack("<q", 10))
        file.write(struct.pack("<10f", *storage.tolist()))
    expected["storage_views_legacy.pth"] = values(torch.load(path))


def newer():
    """What later versions than 1.13 write, put together as they do."""
    stored = torch.tensor([[-1.0, 2.0, -3.0], [4.0, -0.0, 6.5]])

    class Negative:
        """A tensor whose negative bit is set, which is said in an argument more."""

        def __reduce__(self):
            hooks, metadata = collections.OrderedDict(), {"neg": True}
            args = (stored.storage(), 0, (3, 2), (1, 3), False, hooks, metadata)
            return torch._utils._rebuild_tensor_v2, args

    content = {"negative": Negative(), "plain": stored}
    save("negative.pth", content, {"negative": -stored.t(), "plain": stored})
    save("negative_legacy.pth", content, {"negative": -stored.t(), "plain": stored}, **LEGACY)

    state = MRNet().state_dict()
    save("no_checksums.pth", state, state)
    path = os.path.join(FOLDER, "no_checksums.pth")
    with open(path, "rb") as file:
        archive = bytearray(file.read())
    with zipfile.ZipFile(path) as names:
        at = names.start_dir
        for entry in names.infolist():
            # As after `torch.serialization.set_crc32_options(False)`.
            archive[at + 16 : at + 20] = bytes(4)
            name, extra, comment = struct.unpack_from("<3H", archive, at + 28)
            at += 46 + name + extra + comment
    with open(path, "wb") as file:
        file.write(archive)


def refused():
    class System:
        def __reduce__(self):
            return os.system, ("exit 1",)

    with open(os.path.join(FOLDER, "system.pkl"), "wb") as file:
        pickle.dump(System(), file, protocol=2)
    save("system.pth", {"weight": torch.ones(1), "extra": System()})
    save("system_legacy.pth", {"weight": torch.ones(1), "extra": System()}, **LEGACY)

    class Evaluate:
        def __reduce__(self):
            return eval, ("print('run')",)

    save("eval_protocol4.pth", {"extra": Evaluate()}, pickle_protocol=4)
    torch.jit.script(nn.Linear(2, 1)).save(os.path.join(FOLDER, "torchscript.pt"))
    save("one_tensor.pth", torch.ones(2))
    save("sparse.pth", {"weight": torch.eye(2).to_sparse()})
    save("quantized.pth", {"weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)})


def main():
    torch.manual_seed(7)
    os.makedirs(FOLDER, exist_ok=True)
    for write in (state_dicts, whole_modules, checkpoints, tensors, storage_views, newer, refused):
        write()
    with open(os.path.join(FOLDER, "expected.jsonl"), "w", encoding="utf-8") as file:
        for name, tensors_in_it in sorted(expected.items()):
            line = json.dumps({"file": name, "tensors": tensors_in_it})
            # JSON has no infinity: it is written as text.
            file.write(line.replace("Infinity", '"Infinity"') + "\n")


if __name__ == "__main__":
    main()
