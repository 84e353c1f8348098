import assert from "node:assert/strict";
import type { TuneSplit } from "../../lib/data/tune.ts";
import { cardMetadata } from "../../lib/model/card_metadata.ts";
import { checkStart, createMRNet, loadMRNet, saveMRNet } from "../../lib/model/create.ts";
import { initialClassifier, initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { encodePytorch } from "../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { MAX_MODEL_BYTES, readModelBytes } from "../../lib/model/model_source.ts";
import { writeWhole } from "../../lib/files.ts";
import { runCli } from "../support/cli.ts";
import { copyFolder, NUMPY_DATASET, TemporaryFolder } from "../support/folders.ts";
import { seededExam } from "../support/seeded.ts";
import { onEachEngine } from "../support/engines.ts";

/** An AlexNet as torchvision's file holds it: the convolutions under their short names. */
const alexnet = new Map(
  [...initialWeights(9)].filter(([name]) => name.startsWith("pretrained_model."))
    .map(([name, tensor]) => [name.slice("pretrained_model.".length), tensor]),
);

/** The file, and its name with the hash it must have. */
async function alexnetFile(): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const blob = new Blob([...encodePytorch(alexnet)] as BlobPart[]);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { name: `alexnet-owt-${digest.toHex().slice(0, 8)}.pth`, bytes };
}

Deno.test({
  name: "a model that is no plain file, or too large, is refused before it is read",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write("large.safetensors", "");
    await Deno.truncate(folder.at("large.safetensors"), MAX_MODEL_BYTES + 1);
    for (
      const [path, found] of [
        ["/dev/zero", "it is not a plain file"],
        [
          folder.at("large.safetensors"),
          `it is ${MAX_MODEL_BYTES + 1} bytes long, allowed are ${MAX_MODEL_BYTES}`,
        ],
      ]
    ) {
      for (const source of [path, new URL(`file://${path}`)]) {
        await assert.rejects(readModelBytes(source), {
          name: "WeightsError",
          message: `Cannot read the model '${path}': ${found}: ` +
            "give a .safetensors, .pth or .pt file of an MRNet",
        });
      }
    }
  },
});

onEachEngine("a model starts from an AlexNet's file with a linear layer of its own", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("alexnet.pth");
  await writeWhole(path, encodePytorch(alexnet));
  const model = await createMRNet({ weights: path, seed: 4 });
  const state = await model.stateDict();
  model.dispose();
  for (const [name, tensor] of alexnet) {
    assert.deepEqual(state.get(`pretrained_model.${name}`), tensor, name);
  }
  for (const [name, tensor] of initialClassifier(4)) assert.deepEqual(state.get(name), tensor);
}, { engines: ["wasm"] });

/** An MRNet of one output under the names of the authors' release. */
function oneOutput(state: StateDict): StateDict {
  return new Map([...state].map(([name, { shape, data }]) => {
    const kept = name.startsWith("classifer.") ? data.slice(data.length / 2) : data;
    const renamed = name.replace("pretrained_model", "model").replace("classifer", "classifier");
    return [renamed, { shape: kept === data ? shape : [1, ...shape.slice(1)], data: kept }];
  }));
}

onEachEngine("a start of one output computes the probability of its file", async () => {
  await using folder = await TemporaryFolder.make();
  const state = initialWeights(3);
  await writeWhole(folder.at("one.pth"), encodePytorch(oneOutput(state)));
  const exam = seededExam(5, { slices: 3, height: 64, width: 80 });
  const predicted = async (model: MRNet) => {
    const { logits, probability } = await model.predict(exam);
    model.dispose();
    return { logits, probability };
  };
  const two = await predicted(new MRNet(state));
  const start = await createMRNet({ weights: folder.at("one.pth"), seed: 1 });
  const { model } = await loadMRNet(folder.at("one.pth"));
  for (const one of [await predicted(start), await predicted(model)]) {
    assert.deepEqual(one, { logits: [0, two.logits[1]], probability: two.probability });
  }
}, { engines: ["wasm"] });

Deno.test("an AlexNet that was trained for something else is no start, nor is an incomplete MRNet", async () => {
  await using folder = await TemporaryFolder.make();
  const layer = (outputs: number) => ({ shape: [outputs, 4], data: new Float32Array(outputs * 4) });
  const cases: [name: string, tensors: StateDict, found: RegExp][] = [
    [
      "tuned.pth",
      new Map([...alexnet, ["classifier.6.weight", layer(2)]]),
      /it is torchvision's AlexNet with a classifier that is not ImageNet's: 'classifier\.6\.weight' is \[2, 4\]: a training would drop it; save the features alone/,
    ],
    [
      "replaced.pth",
      new Map([...alexnet, ["classifier.weight", layer(1000)]]),
      /'classifier\.weight' is \[1000, 4\]/,
    ],
    [
      "attention.pth",
      new Map([...alexnet, ["attention.weight", layer(1)]]),
      /unexpected 'attention\.weight'/,
    ],
    [
      "headless.pth",
      new Map([...initialWeights(1)].slice(0, 10)),
      /missing 'classifer\.weight', 'classifer\.bias'/,
    ],
  ];
  for (const [name, tensors, message] of cases) {
    const weights = folder.at(name);
    await writeWhole(weights, encodePytorch(tensors));
    await assert.rejects(createMRNet({ weights, seed: 1 }), { name: "WeightsError", message });
    const tune = { fraction: 0.3, seed: 0 };
    await assert.rejects(checkStart(weights, tune), { name: "WeightsError", message });
  }
  const weights = folder.at("imagenet.pth");
  const own = ["classifier.6.weight", layer(1000)] as const;
  await writeWhole(weights, encodePytorch(new Map([...alexnet, own])));
  await checkStart(weights, { fraction: 0.3, seed: 0 });
  (await createMRNet({ weights, seed: 1 })).dispose();
});

Deno.test("exams that are to be kept out are unknown to the weights, or these are refused", async () => {
  await using folder = await TemporaryFolder.make();
  const state = initialWeights(1);
  const tuned = (tune: TuneSplit) => cardMetadata({ task: "acl", intensity: "raw", tune });
  const tune = { fraction: 0.3, seed: 0 };
  const none = "its file does not say that it was trained with a tune split";
  const cases: [name: string, chunks: Iterable<Uint8Array>, found?: string][] = [
    ["alexnet.pth", encodePytorch(alexnet)],
    ["same.safetensors", encodeSafetensors(state, tuned(tune))],
    ["more.safetensors", encodeSafetensors(state, tuned({ fraction: 0.4, seed: 0 }))],
    ["mrnet.pth", encodePytorch(state), none],
    ["stanford.pth", encodePytorch(oneOutput(state)), none],
    ["all.safetensors", encodeSafetensors(state, cardMetadata({ intensity: "raw" })), none],
    [
      "fewer.safetensors",
      encodeSafetensors(state, tuned({ fraction: 0.2, seed: 0 })),
      "by its file it kept out 0.2 of the training exams by seed 0",
    ],
    [
      "other.safetensors",
      encodeSafetensors(state, tuned({ fraction: 0.3, seed: 1 })),
      "by its file it kept out 0.3 of the training exams by seed 1",
    ],
  ];
  for (const [name, chunks, found] of cases) {
    const weights = folder.at(name);
    await writeWhole(weights, chunks);
    (await createMRNet({ weights, seed: 1 })).dispose();
    for (
      const start of [
        () => checkStart(weights, tune),
        async () => (await createMRNet({ weights, tune, seed: 1 })).dispose(),
      ]
    ) {
      if (found === undefined) await start();
      else {
        await assert.rejects(start(), {
          name: "OptionError",
          message:
            "Cannot keep 0.3 of the training exams by seed 0 out of a training that starts " +
            `from '${weights}', which may know them: ${found}: start from a model that kept them ` +
            "out too, or from imagenet or none; a training without --tune may start from any",
        });
      }
    }
  }
  await checkStart("none", tune);
  await checkStart("imagenet", tune);
});

Deno.test("training fetches AlexNet once from an address of one's own and keeps it", async () => {
  await using folder = await TemporaryFolder.make();
  await copyFolder(NUMPY_DATASET, folder.at("data"));
  const { name, bytes } = await alexnetFile();
  let served = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    served++;
    return new Response(bytes);
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const weights = ["--weights", `http://${host}/${name}`];
  const args = ["-t", "acl", "-p", "coronal", "--epochs", "1", "--backend", "wasm", ...weights];
  const permissions = ["--allow-read=data,models,logs", "--allow-write=models,logs"];

  const refused = await runCli(folder, args, { permissions });
  assert.equal(refused.code, 1);
  assert.ok(refused.err.includes(`--allow-net=${host}`), refused.err);

  const granted = { permissions: [...permissions, `--allow-net=${host}`] };
  for (const _ of [1, 2]) {
    const { code, err } = await runCli(folder, args, granted);
    assert.equal(code, 0, err);
  }
  assert.equal(served, 1);
  assert.ok((await folder.files("models")).includes(name));
});

onEachEngine("what is made or loaded frees its memory at the end of its block", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("model.safetensors");
  {
    using model = await createMRNet({ weights: "none", seed: 1 });
    await saveMRNet(model, path);
    using loaded = await loadMRNet(path);
    await loaded.model.predict(seededExam(1, { slices: 2, height: 64, width: 64 }));
    // A second time does nothing.
    model.dispose();
  }
});
