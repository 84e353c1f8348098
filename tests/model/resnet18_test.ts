/** An MRNet with ResNet-18: how it is made, kept and found again. */
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
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { NETWORK_PREFIX } from "../../lib/model/names.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { assertAddsUp } from "../support/explanations.ts";
import { seededExam } from "../support/seeded.ts";

const STATE = initialWeights(5, RESNET18);

/** torchvision's own file: another prefix, a classifier of 1000 classes, counters of batches. */
function torchvision(classes = 1000) {
  const named = [...STATE].flatMap(([name, tensor]) =>
    name.startsWith(NETWORK_PREFIX) ? [[name.slice(NETWORK_PREFIX.length), tensor] as const] : []
  );
  return new Map([
    ...named,
    ["fc.weight", { shape: [classes, 512], data: new Float32Array(classes * 512) }],
    ["fc.bias", { shape: [classes], data: new Float32Array(classes) }],
  ]);
}

Deno.test("ResNet-18 is made, saved, read back and converted with all that it holds", async () => {
  await startEngine("cpu");
  await using folder = await TemporaryFolder.make();
  const path = folder.at("model.safetensors");
  using made = await createMRNet({ weights: "none", network: "resnet18", seed: 5 });
  assert.equal(made.network, "resnet18");
  assert.deepEqual(await made.stateDict(), STATE);
  assert.equal(made.parameters.size + made.statistics.size, STATE.size);
  await saveMRNet(made, path, { task: "acl", plane: "axial" });
  using read = await loadMRNet(path);
  assert.equal(read.card.network, "resnet18");
  assert.deepEqual(await read.model.stateDict(), STATE);
  await convertWeights(path, folder.at("model.pth"));
  using converted = await loadMRNet(folder.at("model.pth"));
  assert.deepEqual(await converted.model.stateDict(), STATE);
});

Deno.test("torchvision's ResNet-18 is a start, and the linear layer is drawn", async () => {
  await startEngine("cpu");
  await using folder = await TemporaryFolder.make();
  const path = folder.at("resnet18.pth");
  await writeWhole(path, encodePytorch(torchvision()));
  using model = await createMRNet({ weights: path, seed: 5 });
  assert.equal(model.network, "resnet18");
  assert.deepEqual(await model.stateDict(), STATE);
  await assert.rejects(createMRNet({ weights: path, network: "alexnet" }), {
    name: "WeightsError",
    message: `Cannot read weights '${path}': it holds ResNet-18, not AlexNet: ` +
      "leave the network out, or give weights of AlexNet",
  });
  await assert.rejects(loadMRNet(path), /it looks like ResNet-18, which a training starts from/);
  // Trained for something else: what it has learned would be dropped.
  await writeWhole(path, encodePytorch(torchvision(3)));
  await assert.rejects(createMRNet({ weights: path }), /unexpected 'fc\.(weight|bias)'/);
});

Deno.test("what names no network, or another than it holds, is refused", async () => {
  await startEngine("cpu");
  await using folder = await TemporaryFolder.make();
  const network = "resnet50" as "resnet18";
  await assert.rejects(createMRNet({ weights: "none", network }), {
    name: "OptionError",
    message: "Cannot make a model of the network 'resnet50': choose from alexnet, resnet18, " +
      "resnet34",
  });
  const path = folder.at("model.safetensors");
  await writeWhole(path, encodeSafetensors(STATE, { network: "alexnet" }));
  await assert.rejects(loadMRNet(path), {
    name: "WeightsError",
    message: `Cannot read weights '${path}': it says that its network is 'alexnet', and holds ` +
      "ResNet-18: its metadata or its tensors are another file's",
  });
  const damaged = new Map(STATE);
  damaged.set("pretrained_model.bn1.running_var", {
    shape: [64],
    data: new Float32Array(64).fill(-1),
  });
  assert.throws(
    () => new MRNet(damaged),
    /'pretrained_model\.bn1\.running_var' holds values below 0/,
  );
});

Deno.test("the shares of ResNet-18's slices add up to its logit, and a step moves all parameters", async () => {
  await startEngine("wasm");
  using model = new MRNet(STATE);
  const exam = seededExam(3, { slices: 2, height: 64, width: 64 });
  const explanation = await explain(model, exam);
  const { mapHeight, mapStride, mapStart } = explanation;
  assert.deepEqual([mapHeight, mapStride, mapStart], [2, 32, 0]);
  assertAddsUp(explanation);
  const network = await createNetwork(model, { learningRate: 1e-4 });
  await network.step({ exam, label: 1 }, [1, 1]);
  const { parameters: moved } = await network.snapshot();
  for (const name of model.parameters.keys()) {
    assert.notDeepEqual(moved.get(name), STATE.get(name), name);
  }
  for (const name of model.statistics.keys()) assert.deepEqual(moved.get(name), STATE.get(name));
  network.dispose();
});
