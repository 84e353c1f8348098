/** Files of full size, from and to the real packages: PyTorch, safetensors, ONNX. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeWhole } from "../../../lib/files.ts";
import { encodeOnnx } from "../../../lib/model/weights/onnx.ts";
import { encodePytorch } from "../../../lib/model/weights/torch/write.ts";
import { readFeatures, readMRNet } from "../../../lib/model/weights/read.ts";
import { encodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import type { StateDict } from "../../../lib/model/weights/tensors.ts";
import { printedBy } from "../../support/cli.ts";
import { makeMRNet, testWithPython, withFolder } from "./support.ts";
import { assertWithin } from "../../support/time.ts";

const READER = new URL("../../../lib/model/weights/read.ts", import.meta.url);

/** One hash over names, shapes and values, which Python computes in the same way. */
function digest(tensors: StateDict): string {
  const hash = createHash("sha256");
  for (const [name, { shape, data }] of tensors) {
    hash.update(`${name} ${shape.join(" ")}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

const DIGEST = `
import hashlib, sys, torch
from torch import nn

def digest(state):
    hash = hashlib.sha256()
    for name, tensor in state.items():
        if ".classifier." not in name and not name.startswith("classifier."):
            hash.update((name + " " + " ".join(map(str, tensor.shape)) + "\\n").encode())
            hash.update(tensor.detach().contiguous().numpy().tobytes())
    return hash.hexdigest()
`;

/** MRNet as far as it is used: the classifier of AlexNet is left out, as in the files made here. */
const MRNET = `
class MRNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.pretrained_model = nn.Module()
        self.pretrained_model.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.pooling_layer = nn.AdaptiveAvgPool2d(1)
        self.classifer = nn.Linear(256, 2)

    def forward(self, x):
        features = self.pooling_layer(self.pretrained_model.features(x))
        return self.classifer(features.flatten(1).max(0, keepdim=True)[0])
`;

testWithPython(
  "what the original script saves is read",
  ["torch", "torchvision"],
  (run) =>
    withFolder(async (folder) => {
      const model = `
import torch, torch.nn as nn
from torchvision import models

class MRNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.pretrained_model = models.alexnet()
        self.pooling_layer = nn.AdaptiveAvgPool2d(1)
        self.classifer = nn.Linear(256, 2)
`;
      await Deno.writeTextFile(`${folder}/model.py`, model);
      const code = `${DIGEST}
folder = sys.argv[1]
sys.path.insert(0, folder)
from model import MRNet
net = MRNet()
torch.save(net, folder + "/model.pth")
# The other forms without the bulk of what is not read anyway.
for index in (1, 4, 6):
    net.pretrained_model.classifier[index] = nn.Linear(2, 2)
torch.save(nn.DataParallel(net).state_dict(), folder + "/parallel.pth")
torch.save(net.pretrained_model.state_dict(), folder + "/alexnet.pth")
torch.save(net, folder + "/legacy.pth", _use_new_zipfile_serialization=False)
print(digest(net.state_dict()))
`;
      const expected = await run(code, folder);
      const taken = await printedBy<{ seconds: number; bytes: number }>(
        `import { readMRNet } from ${JSON.stringify(READER)};
         const [start, before] = [performance.now(), Deno.memoryUsage().rss];
         await readMRNet(Deno.args[0]);
         const seconds = (performance.now() - start) / 1000;
         console.log(JSON.stringify({ seconds, bytes: Deno.memoryUsage().rss - before }));`,
        `${folder}/model.pth`,
      );
      assertWithin(1000 * taken.seconds, 3000, "244 MB");
      assert.ok(taken.bytes < 200e6, `244 MB took ${taken.bytes} bytes of memory`);
      let features = "";
      for (const name of ["model.pth", "legacy.pth", "parallel.pth"]) {
        const { tensors } = await readMRNet(`${folder}/${name}`);
        assert.equal(digest(tensors), expected, name);
        features = digest(new Map([...tensors].slice(0, 10)));
      }
      const { tensors } = await readFeatures(`${folder}/alexnet.pth`);
      assert.equal(digest(tensors), features);
    }),
);

testWithPython(
  "our .pth loads in PyTorch, strictly and with weights_only",
  ["torch"],
  (run) =>
    withFolder(async (folder) => {
      const tensors = makeMRNet(2);
      await writeWhole(`${folder}/a.pth`, encodePytorch(tensors));
      const code = `${DIGEST}${MRNET}
state = torch.load(sys.argv[1], weights_only=True)
print(MRNet().load_state_dict(state, strict=True), type(state).__name__, digest(state))
`;
      const output = await run(code, `${folder}/a.pth`);
      assert.equal(output, `<All keys matched successfully> OrderedDict ${digest(tensors)}`);
    }),
);

testWithPython(
  "our .safetensors loads in PyTorch, strictly",
  ["torch", "safetensors"],
  (run) =>
    withFolder(async (folder) => {
      const tensors = makeMRNet(3);
      await writeWhole(`${folder}/a.safetensors`, encodeSafetensors(tensors, { task: "größer" }));
      const code = `${DIGEST}${MRNET}
from safetensors import safe_open
from safetensors.torch import load_file, save_file
path, copy = sys.argv[1:]
state = load_file(path)
net = MRNet()
print(net.load_state_dict(state, strict=True), digest(net.state_dict()))
print(safe_open(path, "pt").metadata()["task"])
save_file(net.state_dict(), copy, {"task": "acl"})
`;
      const output = await run(code, `${folder}/a.safetensors`, `${folder}/b.safetensors`);
      assert.equal(output, `<All keys matched successfully> ${digest(tensors)}\ngrößer`);
      const back = await readMRNet(`${folder}/b.safetensors`);
      assert.equal(digest(back.tensors), digest(tensors));
      assert.deepEqual(back.metadata, { task: "acl" });
    }),
);

testWithPython(
  "our .onnx passes ONNX's check and gives PyTorch's probabilities in onnxruntime",
  ["torch", "numpy", "onnx", "onnxruntime"],
  (run) =>
    withFolder(async (folder) => {
      const tensors = makeMRNet(4);
      await writeWhole(`${folder}/a.onnx`, encodeOnnx(tensors, { task: "acl", "größe": "ä" }));
      await writeWhole(`${folder}/a.pth`, encodePytorch(tensors));
      const code = `${DIGEST}${MRNET}
import numpy, onnx, onnxruntime
folder = sys.argv[1]
model = onnx.load(folder + "/a.onnx")
onnx.checker.check_model(model, full_check=True)
print({pair.key: pair.value for pair in model.metadata_props})
net = MRNet()
net.load_state_dict(torch.load(folder + "/a.pth", weights_only=True))
session = onnxruntime.InferenceSession(folder + "/a.onnx", providers=["CPUExecutionProvider"])
random = numpy.random.RandomState(7)
for slices, height, width in [(1, 256, 256), (5, 224, 240), (3, 64, 80)]:
    exam = random.randint(0, 256, (slices, 1, height, width)).repeat(3, 1).astype("float32")
    logits, probability = session.run(["logits", "probability"], {"exam": exam})
    with torch.no_grad():
        expected = net(torch.from_numpy(exam))
    assert logits.shape == (1, 2) and probability.shape == (1,)
    assert abs(logits - expected.numpy()).max() <= 1e-5 * abs(expected.numpy()).max()
    assert abs(probability - torch.sigmoid(expected[:, 1]).numpy()).max() <= 1e-6
`;
      assert.equal(await run(code, folder), "{'task': 'acl', 'größe': 'ä'}");
    }),
);
