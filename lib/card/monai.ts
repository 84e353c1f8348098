/**
 * A model's card as the `metadata.json` of a MONAI bundle.
 *
 * The keys are those of https://docs.monai.io/en/stable/mb_specification.html. What the specification has
 * no key for stands under `mrnet`, since a bundle may have keys of its own.
 */
import { DEFAULT_THRESHOLD } from "../model/card.ts";
import { cardTextJson } from "../model/card_text.ts";
import { networkOf } from "../network/networks.ts";
import type { DescribedSingle, ModelDescription } from "./describe.ts";
import { findingText } from "./finding.ts";
import { singlesOf } from "./readme.ts";
import type { ModelResults } from "./results.ts";
import { DEFAULT_USE, NO_DEVICE, planeOf, titleOf } from "./sections.ts";

/** The schema that a bundle names for its metadata. */
const SCHEMA_URL =
  "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/" +
  "meta_schema_20240725.json";

/** What MONAI calls a version that is not known; no part of MONAI makes these bundles. */
const NO_VERSION = "0+unknown";

/** The runtime that our tests run the ONNX files with. */
const ONNXRUNTIME = "1.32.0";

/** A model of one plane in a bundle: what it is called there, such as `axial`. */
export interface BundledModel {
  /** Its name, which its files and its key begin with. */
  name: string;
  /** The model. */
  model: DescribedSingle;
}

/** The models of a bundle: one `model`, one for each plane, or one for each member. */
export function bundledModels(model: ModelDescription): BundledModel[] {
  const planes = (members: readonly DescribedSingle[], begin = "") =>
    members.map((each) => ({ name: `${begin}${each.plane}`, model: each }));
  switch (model.kind) {
    case "single":
      return [{ name: "model", model }];
    case "combined":
      return planes(model.members);
    case "ensemble":
      return model.members.flatMap((member, index) => {
        const name = `member${index + 1}`;
        return member.kind === "single"
          ? [{ name, model: member }]
          : planes(member.members, `${name}_`);
      });
    default:
      return model satisfies never;
  }
}

/** As in `verbs.ts`, where it is described. */
export function monaiMetadata(
  model: ModelDescription,
  results: readonly ModelResults[] = [],
): Record<string, unknown> {
  const { about, task } = model;
  const { toolkit, created } = model.card;
  const finding = findingText(task);
  const version = about.version ?? "0.0.0";
  const made = ["made", toolkit && `by MRNet for Deno ${toolkit}`, created && `on ${created}`];
  const bundled = bundledModels(model);
  const titles = [...new Set(singlesOf(model).map(({ network }) => networkOf(network).title))];
  return {
    schema: SCHEMA_URL,
    version,
    changelog: { [version]: made.filter((each) => each).join(" ") },
    monai_version: NO_VERSION,
    pytorch_version: NO_VERSION,
    numpy_version: NO_VERSION,
    required_packages_version: { onnxruntime: ONNXRUNTIME },
    name: titleOf(model),
    task: `Probability of ${finding} in knee MRI`,
    description: `${about.description ?? `MRNet (${titles.join(", ")}).`} ${NO_DEVICE}`,
    authors: about.authors?.join(", ") ?? "not given",
    copyright: about.copyright ?? "not given",
    ...about.dataSource !== undefined && { data_source: about.dataSource },
    data_type: "NumPy arrays [slices, height, width], one series an exam",
    image_classes: "grey values of one series, the one channel repeated three times",
    label_classes: `1 with ${finding}, 0 without it`,
    pred_classes: `the probability of ${finding}, in 0–1`,
    eval_metrics: _evalMetrics(model, results),
    intended_use: `${about.intendedUse ?? DEFAULT_USE} ${NO_DEVICE}`,
    ...about.references !== undefined && { references: about.references },
    network_data_format: model.kind === "single" ? _format(model) : _formatOfAll(model),
    ...Object.fromEntries(
      bundled.filter(({ name }) => name !== "model")
        .map(({ name, model }) => [`${name}_data_format`, _format(model)]),
    ),
    mrnet: _own(model, bundled),
  };
}

/** What a file of ONNX takes and gives; the slices of an exam are its batch. */
function _format(model: DescribedSingle): Record<string, unknown> {
  const { plane, task, card: { intensity } } = model;
  return {
    inputs: { exam: _exam(`${plane ?? ""} exam [slices, 3, height, width]`.trim(), intensity) },
    outputs: {
      logits: {
        ...{ type: "tuples", format: "classes", modality: "n/a", num_channels: 2 },
        ...{ spatial_shape: [], dtype: "float32", value_range: [], is_patch_data: false },
        channel_def: { "0": "logit of no finding", "1": "logit of the finding" },
      },
      probability: _probability(task),
    },
  };
}

/** What three planes take and give together, once their files have been run. */
function _formatOfAll(model: ModelDescription): Record<string, unknown> {
  const planes = [...new Set(singlesOf(model).map(({ plane }) => plane))];
  const intensity = (plane: string | undefined) =>
    singlesOf(model).find((each) => each.plane === plane)?.card.intensity ?? "raw";
  const exams = planes.map((plane) =>
    [`${plane}`, _exam(`${plane} exam [slices, 3, height, width]`, intensity(plane))] as const
  );
  return {
    inputs: Object.fromEntries(exams),
    outputs: { probability: _probability(model.task) },
  };
}

function _exam(description: string, intensity: string): Record<string, unknown> {
  return {
    ...{ type: "image", format: "magnitude", modality: "MR", num_channels: 3 },
    ...{ spatial_shape: ["*", "*"], dtype: "float32" },
    // Raw values are those of MRNet's files; any other input is prepared by the graph itself.
    value_range: intensity === "raw" ? [0, 255] : [],
    is_patch_data: false,
    channel_def: { "0": "grey value", "1": "the same", "2": "the same" },
    description,
  };
}

function _probability(task: ModelDescription["task"]): Record<string, unknown> {
  return {
    ...{ type: "probabilities", format: "classes", modality: "n/a", num_channels: 1 },
    ...{ spatial_shape: [], dtype: "float32", value_range: [0, 1], is_patch_data: false },
    channel_def: { "0": `probability of ${findingText(task)}` },
  };
}

/** Results of evaluations, or else what the file itself says, with the exams it was found on. */
function _evalMetrics(
  model: ModelDescription,
  results: readonly ModelResults[],
): Record<string, unknown> {
  if (results.length > 0) {
    return Object.fromEntries(results.map(({ data, split, exams, metrics }) => [
      `${split} of ${data}`,
      { exams, ...Object.fromEntries(metrics.map(({ type, value }) => [type, value])) },
    ]));
  }
  const valAuc = model.kind === "single" ? model.card.valAuc : undefined;
  return valAuc === undefined || Number.isNaN(valAuc)
    ? {}
    : { roc_auc_on_the_exams_that_chose_the_epoch: valAuc };
}

/** What the specification has no key for. */
function _own(model: ModelDescription, bundled: readonly BundledModel[]): Record<string, unknown> {
  const { kind, task, sha256, about } = model;
  const point = model.kind === "ensemble"
    ? model.card.outOfFold?.operatingPoint
    : model.card.operatingPoint;
  return {
    ...{ kind, task, plane: planeOf(model), sha256 },
    card: cardTextJson(about),
    threshold: point?.threshold ?? DEFAULT_THRESHOLD,
    ...point !== undefined && { operating_point: point },
    ...model.kind === "combined" && {
      combination: { coefficients: model.card.coefficients, intercept: model.card.intercept },
    },
    models: bundled.map(({ name, model: { network, plane, sha256, card } }) => ({
      ...{ onnx: `models/${name}.onnx`, network, plane, sha256, intensity: card.intensity },
      ...{ training_set: card.trainingSet, selection_set: card.selectionSet },
      ...{ epoch: card.epoch, recipe: card.recipe },
    })),
  };
}
