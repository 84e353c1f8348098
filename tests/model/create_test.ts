import assert from "node:assert/strict";
import type { TuneSplit } from "../../lib/data/tune.ts";
import { cardMetadata } from "../../lib/model/card.ts";
import { checkStart, createMRNet } from "../../lib/model/create.ts";
import { initialClassifier, initialWeights } from "../../lib/model/initialise.ts";
import { encodePytorch } from "../../lib/model/weights/pytorch_writer.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import { LARGEST_MODEL, readModelBytes } from "../../lib/model/model_source.ts";
import { writeWhole } from "../../lib/files.ts";
import { runCli } from "../support/cli.ts";
import { copyFolder, NUMPY_DATASET, TemporaryFolder } from "../support/folders.ts";
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
    await Deno.truncate(folder.at("large.safetensors"), LARGEST_MODEL + 1);
    for (
      const [path, found] of [
        ["/dev/zero", "it is not a plain file"],
        [
          folder.at("large.safetensors"),
          `it is ${LARGEST_MODEL + 1} bytes long, allowed are ${LARGEST_MODEL}`,
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

Deno.test("exams that are to be kept out are unknown to the weights, or these are refused", async () => {
  await using folder = await TemporaryFolder.make();
  const state = initialWeights(1);
  const tuned = (tune: TuneSplit) => cardMetadata({ task: "acl", intensity: "raw", tune });
  const tune = { fraction: 0.3, seed: 0 };
  const none = "its file does not say that it was trained with a tune split";
  const cases: [name: string, parts: Iterable<Uint8Array>, found?: string][] = [
    ["alexnet.pth", encodePytorch(alexnet)],
    ["same.safetensors", encodeSafetensors(state, tuned(tune))],
    ["more.safetensors", encodeSafetensors(state, tuned({ fraction: 0.4, seed: 0 }))],
    ["mrnet.pth", encodePytorch(state), none],
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
  for (const [name, parts, found] of cases) {
    const weights = folder.at(name);
    await writeWhole(weights, parts);
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
