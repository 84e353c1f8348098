/** An MRNet with ResNet-34, and how its files are told from those of ResNet-18, which begin alike. */
import assert from "node:assert/strict";
import {
  convertWeights,
  createMRNet,
  explain,
  loadMRNet,
  saveMRNet,
  startEngine,
} from "../../mod.ts";
import { writeWhole } from "../../lib/files.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { mrnetTensors, NETWORK_PREFIX } from "../../lib/model/names.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { RESNET18, RESNET34 } from "../../lib/network/resnet.ts";
import { createRandom } from "../../lib/random.ts";
import { onEachEngine } from "../support/engines.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { testWithPython } from "../support/python.ts";
import { assertAddsUp } from "../support/explanations.ts";
import { seededExam } from "../support/seeded.ts";

const STATE = initialWeights(5, RESNET34);

/** What torchvision's own network is, without MRNet's linear layer. */
function withoutHead(state: StateDict): StateDict {
  return new Map(
    [...state].flatMap(([name, tensor]) =>
      name.startsWith(NETWORK_PREFIX) ? [[name.slice(NETWORK_PREFIX.length), tensor] as const] : []
    ),
  );
}

Deno.test("ResNet-34 is made, saved, read back and converted with all that it holds", async () => {
  await startEngine("cpu");
  await using folder = await TemporaryFolder.make();
  const path = folder.at("model.safetensors");
  using made = await createMRNet({ weights: "none", network: "resnet34", seed: 5 });
  assert.equal(made.network, "resnet34");
  assert.deepEqual(await made.stateDict(), STATE);
  await saveMRNet(made, path, { task: "acl", plane: "axial" });
  using read = await loadMRNet(path);
  assert.equal(read.card.network, "resnet34");
  assert.deepEqual(await read.model.stateDict(), STATE);
  await convertWeights(path, folder.at("model.pth"));
  using converted = await loadMRNet(folder.at("model.pth"));
  assert.equal(converted.model.network, "resnet34");
  assert.deepEqual(await converted.model.stateDict(), STATE);
});

Deno.test("files of ResNet-18 and ResNet-34 are told apart, and not taken for one another", async () => {
  await startEngine("cpu");
  await using folder = await TemporaryFolder.make();
  const networks = [[RESNET18, "resnet18"], [RESNET34, "resnet34"]] as const;
  for (const [network, name] of networks) {
    const [other, otherName] = networks.find(([each]) => each !== network)!;
    const state = initialWeights(5, network);
    const path = folder.at(`${name}.pth`);
    await writeWhole(path, encodePytorch(withoutHead(state)));
    using model = await createMRNet({ weights: path, seed: 5 });
    assert.equal(model.network, name);
    assert.deepEqual(await model.stateDict(), state);
    await assert.rejects(createMRNet({ weights: path, network: otherName }), {
      name: "WeightsError",
      message: `Cannot read weights '${path}': it holds ${network.title}, not ${other.title}: ` +
        `leave the network out, or give weights of ${other.title}`,
    });
    const wrong = folder.at(`${name}.safetensors`);
    await writeWhole(wrong, encodeSafetensors(state, { network: otherName }));
    await assert.rejects(loadMRNet(wrong), {
      name: "WeightsError",
      message: `Cannot read weights '${wrong}': it says that its network is '${otherName}', and ` +
        `holds ${network.title}: its metadata or its tensors are another file's`,
    });
    // A damaged file is that of the network that it is most like.
    const damaged = new Map(state);
    damaged.delete(`${NETWORK_PREFIX}layer1.0.bn1.bias`);
    assert.throws(() => new MRNet(damaged), {
      message: /it does not hold an MRNet: missing 'pretrained_model\.layer1\.0\.bn1\.bias': /,
    });
  }
});

Deno.test("the shares of ResNet-34's slices add up to its logit", async () => {
  await startEngine("wasm");
  using model = new MRNet(STATE);
  const exam = seededExam(3, { slices: 2, height: 64, width: 64 });
  const explanation = await explain(model, exam);
  const { mapHeight, mapStride, mapStart } = explanation;
  assert.deepEqual([mapHeight, mapStride, mapStart], [2, 32, 0]);
  assertAddsUp(explanation);
});

/** Logits of a step of the network that a function makes, and how far it moves each parameter. */
async function stepOf(make: typeof createNetwork) {
  // So large an ε makes Adam's first move the gradient times a constant.
  const settings = { epsilon: 1e4, weightDecay: 0, learningRate: 1e5 };
  const exam = seededExam(3, { slices: 2, height: 64, width: 64 });
  using model = new MRNet(STATE);
  const network = await make(model, settings);
  const { logits } = await network.step({ exam, label: 1 }, [1, 2.5]);
  const { parameters } = await network.snapshot();
  const moves = [...model.parameters.keys()].map((name) => {
    const from = STATE.get(name)!.data;
    return [name, parameters.get(name)!.data.map((value, at) => value - from[at])] as const;
  });
  network.dispose();
  return { logits, moves: new Map(moves) };
}

/** The step in TensorFlow.js's operations, which are quickest on WebAssembly; computed once. */
let reference: Awaited<ReturnType<typeof stepOf>> | undefined;

onEachEngine(
  "a step of ResNet-34 moves every parameter as TensorFlow.js's operations do",
  async ({ engine }) => {
    await startEngine("wasm");
    const plain = reference ??= await stepOf((model, settings) =>
      Promise.resolve(new TensorNetwork(model, settings))
    );
    await startEngine(engine);
    const ours = await stepOf(createNetwork);
    const scale = Math.max(...plain.logits.map(Math.abs));
    ours.logits.forEach((logit, at) =>
      assert.ok(Math.abs(logit - plain.logits[at]) <= 1e-5 * scale)
    );
    for (const [name, move] of plain.moves) {
      const way = norm(move);
      const apart = norm(move.map((value, at) => value - ours.moves.get(name)![at]));
      assert.ok(way > 0, `${name} did not move`);
      assert.ok(apart <= 1e-3 * way, `${name} is ${apart / way} of its way off`);
    }
  },
  { engines: ["webgpu", "wasm"] },
);

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

const EXAM = seededExam(5, { slices: 3, height: 96, width: 80 });

/** An MRNet of torchvision's ResNet-34: reads a state, answers an exam, and saves itself. */
const PROGRAM = `
import json, sys, torch
from torch import nn
from torchvision import models

class MRNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.pretrained_model = models.resnet34()
        self.pretrained_model.fc = nn.Identity()
        self.classifer = nn.Linear(512, 2)
    def forward(self, x):
        return self.classifer(self.pretrained_model(x).max(0, keepdim=True)[0])

folder = sys.argv[1]
exam = torch.frombuffer(bytearray(open(folder + "/exam.bin", "rb").read()), dtype=torch.uint8)
exam = exam.float().reshape(3, 1, 96, 80).repeat(1, 3, 1, 1)
net = MRNet().eval()
missing = net.load_state_dict(torch.load(folder + "/ours.pth"), strict=False)
assert missing.unexpected_keys == [], missing
assert all(key.endswith("num_batches_tracked") for key in missing.missing_keys), missing
torch.save(net.state_dict(), folder + "/theirs.pth")
with torch.no_grad():
    print(json.dumps(net(exam)[0].tolist()))
`;

testWithPython(
  "ResNet-34 goes to PyTorch and back, and says the same in both",
  ["torch", "torchvision"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const random = createRandom(9, "resnet34");
    // Statistics and biases of their own, so that each has a part in the answer.
    const state: StateDict = new Map(
      mrnetTensors(RESNET34).map(({ name, shape }) => {
        const { data } = STATE.get(name)!;
        const isVector = shape.length === 1;
        return [name, {
          shape: [...shape],
          data: isVector ? data.map((value) => value + random.uniform(0, 0.2)) : data,
        }];
      }),
    );
    await Deno.writeFile(folder.at("exam.bin"), new Uint8Array(EXAM.voxels.buffer));
    await writeWhole(folder.at("model.safetensors"), encodeSafetensors(state));
    await convertWeights(folder.at("model.safetensors"), folder.at("ours.pth"));
    const expected: number[] = JSON.parse(await run(PROGRAM, folder.path));
    await startEngine("wasm");
    using read = await loadMRNet(folder.at("theirs.pth"));
    assert.equal(read.model.network, "resnet34");
    assert.deepEqual(await read.model.stateDict(), state);
    const { logits } = await read.model.predict(EXAM);
    const scale = Math.max(...expected.map(Math.abs));
    logits.forEach((logit, at) =>
      assert.ok(Math.abs(logit - expected[at]) <= 1e-5 * scale, `${logits} instead of ${expected}`)
    );
  },
);
