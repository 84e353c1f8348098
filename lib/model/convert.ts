/** One form of a model's file into another. */
import type { Preparation } from "../data/intensity.ts";
import { OptionError, WeightsError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import { writeWhole } from "../files.ts";
import { readCard, readCardWith } from "./card_metadata.ts";
import { cardTextJson, readCardFile } from "./card_text.ts";
import type { LoadOptions } from "./create.ts";
import type { Recalibration } from "./recalibration.ts";
import { encodeOnnx, ONNX_INPUT } from "./weights/onnx.ts";
import { encodePytorch } from "./weights/torch/write.ts";
import { identifyNetwork, readMRNet } from "./weights/read.ts";
import { encodeSafetensors } from "./weights/safetensors.ts";
import { openSource, type Source } from "./weights/source.ts";
import type { StateDict } from "./weights/tensors.ts";

/** A model to be written, and what its file says about it. */
interface Model {
  network: Network;
  tensors: StateDict;
  metadata: Record<string, string>;
  /** How its input is prepared, for the forms that have room for it. */
  input?: Preparation;
  /** How its probabilities are made, for the forms that compute them. */
  recalibration?: Recalibration;
}
type Encoder = (model: Model) => Uint8Array | Iterable<Uint8Array>;

/** The forms that can be written, by the ending of the file's name. */
const ENCODERS: Readonly<Record<string, Encoder>> = {
  safetensors: ({ tensors, metadata, input }) =>
    encodeSafetensors(tensors, {
      ...metadata,
      ...input === undefined ? {} : { intensity: input.intensity },
      format: "pt",
    }),
  pth: ({ tensors }) => encodePytorch(tensors),
  pt: ({ tensors }) => encodePytorch(tensors),
  onnx({ network, tensors, metadata, input = { intensity: "raw" }, recalibration }) {
    const said = { ...metadata, intensity: input.intensity, input: ONNX_INPUT };
    return encodeOnnx(tensors, said, { input, network, recalibration: recalibration?.map });
  },
};

/** What is known of a model beside its file, and what its new file is to say. */
export interface ConvertOptions extends LoadOptions {
  /**
   * A file of JSON for the model's card; see {@linkcode CardText}. It takes the place of what the file
   * said before.
   * @default none
   */
  card?: string;
}

/** What a conversion did. */
export interface Conversion {
  /** What the file that was read says about itself. */
  metadata: Record<string, string>;
  /** Whether the file that was written says it too; a state dict of PyTorch cannot. */
  keptMetadata: boolean;
  /**
   * Outputs of the model that was read. The file that is written always has two, as the reference: if
   * there was one, it is the second, and the first is zero.
   */
  outputs: 1 | 2;
  /** How the model is recalibrated; what is written is so too, but for a state dict. */
  recalibration?: Recalibration;
}

/** As in `verbs.ts`, where it is described. */
export async function convertWeights(
  from: string,
  to: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  // The name is checked before the file is read.
  _formOf(to, options);
  using source = await openSource(from);
  return await convertOpened(source, to, options);
}

/** As {@linkcode convertWeights}, from a source that is open. */
export async function convertOpened(
  from: Source,
  to: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { ending, keptMetadata } = _formOf(to, options);
  const about = options.card === undefined ? undefined : await readCardFile(options.card);
  const { network, tensors, metadata } = await readMRNet(from);
  const { head: [{ shape }] } = await identifyNetwork(from);
  const known = ending === "onnx" || options.intensity !== undefined;
  const input = known ? readCardWith(metadata, from.name, options.intensity) : undefined;
  const { recalibration } = readCard(metadata, from.name);
  const described = { ...metadata };
  if (about !== undefined) described.about = JSON.stringify(cardTextJson(about));
  const model = { network, tensors, metadata: described, input, recalibration };
  await writeWhole(to, ENCODERS[ending](model));
  return {
    ...{ metadata, keptMetadata, outputs: shape[0] === 1 ? 1 : 2 },
    ...(recalibration && { recalibration }),
  };
}

/** The form that a file's name tells, if it has room for what is to be kept. */
function _formOf(
  to: string,
  { intensity, card }: ConvertOptions,
): { ending: string; keptMetadata: boolean } {
  const ending = /\.([a-z]+)$/i.exec(to)?.[1].toLowerCase() ?? "";
  if (!Object.hasOwn(ENCODERS, ending)) {
    const endings = Object.keys(ENCODERS).map((each) => `.${each}`).join(", ");
    throw new WeightsError(
      `Cannot write weights '${to}': its name tells no form: end it with one of ${endings}`,
    );
  }
  const keptMetadata = ending === "safetensors" || ending === "onnx";
  const lost = intensity !== undefined ? "intensity" : card !== undefined ? "card" : undefined;
  if (lost === undefined || keptMetadata) return { ending, keptMetadata };
  throw new OptionError(
    `Cannot write weights '${to}': a PyTorch state dict has no place for the ${lost}: leave it ` +
      "out, or write .safetensors or .onnx",
  );
}
