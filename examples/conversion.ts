/**
 * One model in three forms: safetensors, PyTorch, ONNX. The first two come back with the same bits.
 *
 * ```sh
 * deno run -A examples/conversion.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { convertWeights, createMRNet, loadMRNet, saveMRNet } from "../mod.ts";

const folder = await Deno.makeTempDir({ prefix: "conversion-" });
const file = (ending: string) => `${folder}/model.${ending}`;
const exam = {
  id: "grain",
  ...{ slices: 2, height: 64, width: 64 },
  voxels: Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => i * 37 % 251),
};

using model = await createMRNet({ weights: "none", seed: 1 });
await saveMRNet(model, file("safetensors"), { task: "acl", plane: "sagittal" });
for (const ending of ["pth", "onnx"]) {
  const { keptMetadata } = await convertWeights(file("safetensors"), file(ending));
  const { size } = await Deno.stat(file(ending));
  const note = keptMetadata ? "says what it is for" : "cannot say what it is for";
  console.log(`${file(ending)}: ${(size / 1e6).toFixed(1)} MB, ${note}`);
}

const { probability } = await model.predict(exam);
for (const ending of ["safetensors", "pth"]) {
  const { model: read, card } = await loadMRNet(file(ending));
  const again = (await read.predict(exam)).probability;
  console.log(
    `${ending}: task ${card.task ?? "unknown"}, ${again === probability ? "the same" : again}`,
  );
  read.dispose();
}
