/** Converting models, for scripts: each function loads its code when it is first called. */
import type { Conversion, ConvertOptions } from "./convert.ts";

/**
 * Reads an MRNet in any form this toolkit knows and writes it in another.
 *
 * | name ends with | written is |
 * | --- | --- |
 * | `.safetensors` | the tensors, which Python's `safetensors` package reads |
 * | `.pth`, `.pt` | a state dict, which `torch.load(weights_only=True)` reads |
 * | `.onnx` | the network: `exam` `[slices, 3, height, width]` to `logits` `[1, 2]` and `probability` `[1]` |
 *
 * An ONNX model takes the grey values of an exam's file as they are. If the model's input is prepared,
 * nodes of the graph do it. If the model is recalibrated, `probability` is so too, and `logits` are those
 * before; a state dict has no place for that.
 *
 * @param from a `.safetensors`, `.pth` or `.pt` file
 * @param to the file to write; one that is there is replaced once the new one is whole
 * @param options how the model's input is prepared, for files that do not say it, and a card file;
 * `.safetensors` and `.onnx` keep them, a state dict cannot
 * @throws {WeightsError} if `from` is no MRNet, or the ending of `to` is none of these
 * @throws {OptionError} if `from` says that its input is prepared in another way than is given, or
 * `to` cannot keep it
 * @throws {OutputError} if `to` cannot be written
 *
 * @example
 * ```ts
 * import { convertWeights, createMRNet, saveMRNet } from "../../mod.ts";
 * const folder = await Deno.makeTempDir();
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, `${folder}/model.safetensors`);
 * await convertWeights(`${folder}/model.safetensors`, `${folder}/model.onnx`);
 * console.assert((await Deno.stat(`${folder}/model.onnx`)).size > 9_000_000);
 * ```
 */
export async function convertWeights(
  from: string,
  to: string,
  options?: ConvertOptions,
): Promise<Conversion> {
  const work = await import("./convert.ts");
  return await work.convertWeights(from, to, options);
}
