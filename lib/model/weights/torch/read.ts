/**
 * PyTorch's files of weights, `.pth` and `.pt`, in every form `torch.save` gives them: as a zip
 * archive or as the legacy stream; holding a state dict, a checkpoint dictionary with one inside,
 * or a whole pickled module.
 *
 * Nothing that a file asks for is executed, and only the wanted tensors come into memory.
 */
import { PickleFault } from "../../../pickle/values.ts";
import type { Source } from "../source.ts";
import { type ReadOptions, type Weights, weightsError } from "../tensors.ts";
import { openArchive } from "./archive.ts";
import { pytorchForm } from "./form.ts";
import { findTensors } from "./modules.ts";
import { openStream } from "./stream.ts";
import { readTensors } from "./read_tensors.ts";

/**
 * Reads a PyTorch file from a source. float16, bfloat16 and float64 become float32; tensors of other types
 * are named in `skipped`. Only the wanted tensors come into memory.
 *
 * @throws {WeightsError} if the bytes are damaged, hold no network, or ask for anything that is
 * not on the list of what a weights file may contain
 */
export function readPytorchFrom(source: Source, options: ReadOptions = {}): Weights {
  const form = pytorchForm(source);
  if (form === "tar") {
    const found = "it has the tar form that PyTorch gave up in 2017";
    throw weightsError(source.name, found, "load it in Python and save it again");
  }
  if (form === undefined) {
    const found = source.size === 0 ? "it is empty" : "it is no file of PyTorch";
    throw weightsError(source.name, found, "give a file that torch.save wrote");
  }
  try {
    const file = form === "zip" ? openArchive(source) : openStream(source);
    return readTensors(findTensors(file.value), file, source.size, options);
  } catch (error) {
    if (!(error instanceof PickleFault)) throw error;
    const hint = "give a file in which torch.save put the network's state_dict()";
    throw weightsError(source.name, error.message, hint);
  }
}
