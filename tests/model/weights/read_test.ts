import assert from "node:assert/strict";
import { concat } from "../../../lib/bytes.ts";
import { ALEXNET } from "../../../lib/network/alexnet.ts";
import { readFeatures, readMRNet } from "../../../lib/model/weights/read.ts";
import { encodePytorch } from "../../../lib/model/weights/torch/write.ts";
import { encodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import { bytesSource, type Source } from "../../../lib/model/weights/source.ts";
import type { StateDict } from "../../../lib/model/weights/tensors.ts";
import { writeWhole } from "../../../lib/files.ts";
import { fixture, makeMRNet, withFolder } from "./support.ts";
import { readWeights } from "../../support/weights.ts";
import { assertWithin } from "../../support/time.ts";

const MRNET = makeMRNet();
const METADATA = { task: "acl", plane: "coronal" };
const SAFETENSORS = concat(encodeSafetensors(MRNET, METADATA));
const PYTORCH = concat(encodePytorch(MRNET));

/** Writes a file and asserts how reading it as MRNet's weights fails. */
function refuses(name: string, content: Uint8Array | string, found: string): void {
  Deno.test(`'${name}' is refused: ${found}`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/${name}`;
      await writeWhole(path, content);
      const message = `Cannot read weights '${path}': ${found}`;
      await assert.rejects(readWeights(path), { name: "WeightsError", message });
    }));
}

Deno.test("the content decides the form, and both forms hold the same MRNet", () =>
  withFolder(async (folder) => {
    const cases = [
      ["a.safetensors", SAFETENSORS, "safetensors", METADATA],
      ["a", SAFETENSORS, "safetensors", METADATA],
      ["a.pth", PYTORCH, "pytorch-zip", {}],
      ["a.pt", PYTORCH, "pytorch-zip", {}],
      ["a.bin", PYTORCH, "pytorch-zip", {}],
    ] as const;
    for (const [name, content, format, metadata] of cases) {
      const path = `${folder}/${name}`;
      await writeWhole(path, content);
      assert.equal((await readWeights(path)).format, format);
      assert.deepEqual(await readMRNet(path), { network: ALEXNET, tensors: MRNET, metadata });
      const features = new Map([...MRNET].slice(0, 10));
      assert.deepEqual((await readFeatures(path)).tensors, features);
    }
    await Deno.writeFile(`${folder}/b.pth`, fixture("state_dict_legacy.pth"));
    assert.equal((await readWeights(`${folder}/b.pth`)).format, "pytorch-legacy");
  }));

const NAME = "it is not what its name says, but";
refuses("a.pth", SAFETENSORS, `${NAME} a safetensors file: rename it to end in .safetensors`);
refuses(
  "a.safetensors",
  PYTORCH,
  `${NAME} a PyTorch file or another zip archive: rename it to end in .pth`,
);
const GIVE = "give a .pth, .pt or .safetensors file";
refuses("a.pth", "", `it is empty: ${GIVE}`);
refuses("a.pth", "epoch,loss\n", `it is neither a PyTorch file nor a safetensors file: ${GIVE}`);
refuses("a.pth", "<!DOCTYPE html><html>", `it is a web page, not the file behind it: ${GIVE}`);
refuses(
  "a.pth",
  "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
  "it is a pointer of Git LFS, the weights themselves were not fetched (git lfs pull): " + GIVE,
);
refuses("a.h5", new TextEncoder().encode("\u0089HDF").subarray(1), `it is an HDF5 file: ${GIVE}`);
refuses(
  "a.safetensors",
  "",
  "it has 0 bytes, too few for a safetensors file: it is damaged or no safetensors file, make or " +
    "copy it again",
);
refuses(
  "cut.safetensors",
  SAFETENSORS.subarray(0, -4),
  "tensor 'classifer.bias' ends 4 bytes past the file's end: it is damaged or no safetensors " +
    "file, make or copy it again",
);
refuses(
  "cut.pth",
  PYTORCH.subarray(0, -4),
  "it starts as a zip archive but has no end record: it is cut short or damaged, copy or " +
    "download it again",
);

Deno.test("a file that is missing, and a folder, are said to be so", () =>
  withFolder(async (folder) => {
    const hint = "give the path of a .pth, .pt or .safetensors file";
    await assert.rejects(readWeights(`${folder}/none.pth`), {
      name: "WeightsError",
      message: `Cannot read weights '${folder}/none.pth': there is no such file or folder: ${hint}`,
    });
    await assert.rejects(readWeights(folder), {
      name: "WeightsError",
      message: `Cannot read weights '${folder}': it is a folder: ${hint}`,
    });
  }));

Deno.test({
  name: "a refused permission names the flag",
  permissions: { read: [], write: false },
  async fn() {
    await assert.rejects(readWeights("models/a.pth"), {
      name: "PermissionError",
      message: "Cannot read weights 'models/a.pth': Deno has no permission for it: " +
        "run again with --allow-read=models",
    });
  },
});

Deno.test("a parameter of whole numbers is told from a missing one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    const chunks = encodeSafetensors(MRNET);
    const header = new TextDecoder().decode(chunks[0].subarray(8));
    const whole = header.replace(/("classifer.bias":\{"dtype":")F32/, "$1I32");
    chunks[0] = concat([chunks[0].subarray(0, 8), new TextEncoder().encode(whole)]);
    await writeWhole(path, chunks);
    await assert.rejects(readMRNet(path), {
      name: "WeightsError",
      message: `Cannot read weights '${path}': 'classifer.bias' has the type I32: ` +
        "save the network in float32, float16, bfloat16 or float64",
    });
  }));

Deno.test("the classifier of AlexNet does not come into memory", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.pth`;
    const large = { shape: [4096, 1024], data: new Float32Array(4096 * 1024) };
    const tensors: StateDict = new Map(MRNET).set("pretrained_model.classifier.4.weight", large);
    await writeWhole(path, encodePytorch(tensors));
    const { tensors: read } = await readMRNet(path);
    assert.deepEqual([...read.keys()], [...MRNET.keys()]);
  }));

Deno.test("a 10 MB checkpoint is read in less than 100 ms, in both forms", () =>
  withFolder(async (folder) => {
    await writeWhole(`${folder}/a.safetensors`, SAFETENSORS);
    await writeWhole(`${folder}/a.pth`, PYTORCH);
    for (const path of [`${folder}/a.safetensors`, `${folder}/a.pth`]) {
      // The best of several, since other work may share the machine.
      let best = Infinity;
      for (let round = 0; round < 5; round++) {
        const start = performance.now();
        await readMRNet(path);
        best = Math.min(best, performance.now() - start);
      }
      assertWithin(best, 100, path);
    }
  }));

Deno.test("what cannot be a network's is not taken into memory, and is named all the same", async () => {
  const large = { shape: [2048, 1024], data: new Float32Array(2048 * 1024) };
  const content = new Map([...MRNET, ["classifer.weight", large], ["more", large]]);
  for (const encoded of [encodeSafetensors(content), encodePytorch(content)]) {
    const bytes = concat([...encoded]);
    let most = 0;
    const source: Source = {
      ...bytesSource(bytes, "a"),
      read(offset, length) {
        // The checksums of an archive are computed over pieces.
        most = Math.max(most, length);
        return bytes.slice(offset, offset + length);
      },
    };
    await assert.rejects(readMRNet(source), {
      name: "WeightsError",
      message:
        "Cannot read weights 'a': it does not hold an MRNet: unexpected 'more'; wrong shape: " +
        "'classifer.weight' is [2048, 1024], not [2, 256]: give a file of that network",
    });
    assert.ok(most < 4 * large.data.length, `${most} bytes at once`);
  }
});
