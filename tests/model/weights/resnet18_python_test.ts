/** Files of an MRNet with ResNet-18, from and to real torchvision. */
import assert from "node:assert/strict";
import { startEngine } from "../../../lib/engine/engine.ts";
import { writeWhole } from "../../../lib/files.ts";
import { MRNet } from "../../../lib/model/mrnet.ts";
import { loadMRNet } from "../../../lib/model/create.ts";
import { encodePytorch } from "../../../lib/model/weights/torch/write.ts";
import { RESNET18 } from "../../../lib/network/resnet.ts";
import { seededExam, seededState } from "../../support/seeded.ts";
import { testWithPython, withFolder } from "./support.ts";

/**
 * An MRNet around torchvision's ResNet-18, as the original class has it around AlexNet: the classifier
 * for ImageNet stays in it, unused. Loads our file, says the logits of an exam, and saves the model as
 * a state dict and as a whole module, each also under nn.DataParallel.
 */
const PROGRAM = `
import json, sys, numpy, torch
from torch import nn
from torchvision import models

class MRNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.pretrained_model = models.resnet18()
        self.pooling_layer = nn.AdaptiveAvgPool2d(1)
        self.classifer = nn.Linear(512, 2)

    def forward(self, x):
        features = nn.Sequential(*list(self.pretrained_model.children())[:-2])(x)
        return self.classifer(self.pooling_layer(features).flatten(1).max(0, keepdim=True)[0])

folder, exam, *shape = sys.argv[1:]
net = MRNet().eval()
state = torch.load(folder + "/ours.pth", weights_only=True)
missing, unexpected = net.load_state_dict(state, strict=False)
assert not unexpected, unexpected
assert {k for k in missing if not k.startswith("pretrained_model.fc.")} <= {
    k for k in net.state_dict() if k.endswith("num_batches_tracked")}, missing
assert [k for k in state] == [k for k in net.state_dict()
    if ".fc." not in k and not k.endswith("num_batches_tracked")]
net.pretrained_model.fc = nn.Identity()
net.load_state_dict(torch.load(folder + "/ours.pth", weights_only=True), strict=True)
net.pretrained_model.fc = nn.Linear(512, 1000)
values = torch.from_numpy(numpy.fromfile(exam, "u1").reshape(-1, 1, *map(int, shape))).float()
with torch.no_grad():
    print(json.dumps(net(values.repeat(1, 3, 1, 1))[0].tolist()))
torch.save(net.state_dict(), folder + "/state.pth")
torch.save(nn.DataParallel(net).state_dict(), folder + "/parallel.pth")
torch.save(net, folder + "/whole.pth")
torch.save(nn.DataParallel(net), folder + "/whole_parallel.pth")
torch.save(net, folder + "/whole_legacy.pth", _use_new_zipfile_serialization=False)
`;

testWithPython(
  "a .pth of ResNet-18 goes to torchvision and comes back, with the same logits",
  ["torch", "torchvision", "numpy"],
  (run) =>
    withFolder(async (folder) => {
      await startEngine("wasm");
      const state = seededState(4, RESNET18);
      await writeWhole(`${folder}/ours.pth`, encodePytorch(state));
      const exam = seededExam(4, { slices: 3, height: 72, width: 64 });
      await Deno.writeFile(`${folder}/exam.bin`, exam.voxels as Uint8Array<ArrayBuffer>);
      const [height, width] = [exam.height, exam.width].map(String);
      const theirs: number[] = JSON.parse(
        await run(PROGRAM, folder, `${folder}/exam.bin`, height, width),
      );
      for (const name of ["state", "parallel", "whole", "whole_parallel", "whole_legacy"]) {
        const { model } = await loadMRNet(`${folder}/${name}.pth`);
        assert.equal(model.network, "resnet18");
        assert.deepEqual(await model.stateDict(), state, name);
        model.dispose();
      }
      using model = new MRNet(state);
      const { logits } = await model.predict(exam);
      logits.forEach((logit, index) => {
        const off = Math.abs(logit / theirs[index] - 1);
        assert.ok(off <= 1e-5, `${logit}, not ${theirs[index]}`);
      });
    }),
);
