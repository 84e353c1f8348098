/** MRNets of every lineage, saved by PyTorch, say here what they say there. */
import assert from "node:assert/strict";
import { startEngine } from "../../../lib/engine/engine.ts";
import { writeWhole } from "../../../lib/files.ts";
import { convertWeights } from "../../../lib/model/convert.ts";
import { loadMRNet } from "../../../lib/model/create.ts";
import { encodePytorch } from "../../../lib/model/weights/torch/write.ts";
import { seededExam, seededState } from "../../support/seeded.ts";
import { testWithPython, withFolder } from "./support.ts";

const EXAM = seededExam(5, { slices: 3, height: 96, width: 80 });

/** The classes as their authors have them, as far as names and numbers go. */
const CLASSES = `
import json, sys, types, torch
from torch import nn
from torchvision import models

def move(cls):
    # A class must have a module to be pickled with.
    module = sys.modules.setdefault("model", types.ModuleType("model"))
    cls.__module__, cls.__qualname__ = "model", "MRNet"
    module.MRNet = cls

def pool(x):
    return nn.functional.adaptive_avg_pool2d(x, 1).flatten(1).max(0, keepdim=True)[0]

class Reference(nn.Module):
    def __init__(self, outputs=1):
        super().__init__()
        self.pretrained_model = models.alexnet()
        self.classifer = nn.Linear(256, outputs)
    def forward(self, x):
        return self.classifer(pool(self.pretrained_model.features(x)))

class Stanford(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = models.alexnet()
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(256, 1)
    def forward(self, x):
        return self.classifier(pool(self.model.features(x)))

class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.alexnet = models.alexnet().features
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(256, 1)
    def forward(self, x):
        return self.fc(self.dropout(pool(self.alexnet(x))))
`;

testWithPython(
  "what each lineage's class saves gives PyTorch's probability",
  ["torch", "torchvision"],
  (run) =>
    withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/exam.bin`, new Uint8Array(EXAM.voxels.buffer));
      await writeWhole(`${folder}/state.pth`, encodePytorch(seededState(8)));
      const code = `${CLASSES}
folder = sys.argv[1]
exam = torch.frombuffer(bytearray(open(folder + "/exam.bin", "rb").read()), dtype=torch.uint8)
exam = exam.float().reshape(3, 1, 96, 80).repeat(1, 3, 1, 1)
state = torch.load(folder + "/state.pth")
convolutions = [v for k, v in state.items() if ".features." in k]
head = (state["classifer.weight"][1:], state["classifer.bias"][1:])
answers = {}
for make in (Reference, Stanford, Features):
    net = make().eval()
    trunk = next(m for m in net.modules() if isinstance(m, nn.Sequential))
    with torch.no_grad():
        for parameter, values in zip(trunk.parameters(), convolutions):
            parameter.copy_(values)
        last = list(net.children())[-1]
        last.weight.copy_(head[0])
        last.bias.copy_(head[1])
        answers[make.__name__] = net(exam).item()
    # The bulk of what is not read anyway.
    for alexnet in net.children():
        if hasattr(alexnet, "classifier"):
            for index in (1, 4, 6):
                alexnet.classifier[index] = nn.Linear(2, 2)
    name = folder + "/" + make.__name__
    torch.save(net.state_dict(), name + "_state.pth")
    torch.save({"epoch": 3, "state_dict": nn.DataParallel(net).state_dict(),
                "optimizer": torch.optim.Adam(net.parameters()).state_dict()}, name + "_parallel.pt")
    compiled = {"_orig_mod." + k.replace("features.", "features.module."): v
                for k, v in net.state_dict().items()}
    compiled["criterion.pos_weight"] = torch.ones(1)
    torch.save(compiled, name + "_compiled.pth", _use_new_zipfile_serialization=False)
    move(make)
    torch.save(net, name + "_module.pth")
print(json.dumps(answers))
`;
      const answers: Record<string, number> = JSON.parse(await run(code, folder));
      assert.equal(new Set(Object.values(answers)).size, 1);
      await startEngine("cpu");
      for (const [lineage, logit] of Object.entries(answers)) {
        for (const form of ["state.pth", "parallel.pt", "compiled.pth", "module.pth"]) {
          const path = `${folder}/${lineage}_${form}`;
          const { model } = await loadMRNet(path);
          const { logits, probability } = await model.predict(EXAM);
          model.dispose();
          assert.equal(logits[0], 0, path);
          assert.ok(Math.abs(logits[1] - logit) <= 1e-5 * Math.abs(logit), `${path} ${logits}`);
          assert.equal(probability, 1 / (1 + Math.exp(-logits[1])));
        }
      }
      // What is converted loads in the reference's class, strictly, and says the same.
      await convertWeights(`${folder}/Stanford_state.pth`, `${folder}/back.pth`);
      const back = `${CLASSES}
folder = sys.argv[1]
exam = torch.frombuffer(bytearray(open(folder + "/exam.bin", "rb").read()), dtype=torch.uint8)
exam = exam.float().reshape(3, 1, 96, 80).repeat(1, 3, 1, 1)
net = Reference(2)
net.pretrained_model.classifier = nn.Identity()
net.load_state_dict(torch.load(folder + "/back.pth"), strict=True)
with torch.no_grad():
    print(json.dumps(net(exam)[0].tolist()))
`;
      const [first, second]: number[] = JSON.parse(await run(back, folder));
      assert.equal(first, 0);
      assert.ok(Math.abs(second - answers.Stanford) <= 1e-6 * Math.abs(second));
    }),
);
