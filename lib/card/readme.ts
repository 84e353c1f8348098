/** A model's card as the README of a repository on the Hugging Face Hub: metadata in YAML, then Markdown. */
import { PLANES } from "../terms.ts";
import { documentedCommandLine } from "../invocation.ts";
import { baseName } from "../files.ts";
import { networkOf } from "../network/networks.ts";
import { findingText } from "./finding.ts";
import type { DescribedSingle, ModelDescription } from "./describe.ts";
import { hubLicence, slug } from "./licences.ts";
import type { ModelResults } from "./results.ts";
import { type CardSection, cardSections, planeOf, titleOf } from "./sections.ts";

/** The kind of task, as the Hub calls it. */
const PIPELINE = "image-classification";

/** As in `verbs.ts`, where it is described. */
export async function cardReadme(
  model: ModelDescription,
  results: readonly ModelResults[] = [],
): Promise<string> {
  // The writer of YAML is loaded for pages alone.
  const { yamlText } = await import("./yaml.ts");
  // Where the file lay is nobody's business.
  const sections = await cardSections({ ...model, file: baseName(model.file) }, results);
  const [identity, ...others] = sections.map(_markdown);
  return [
    `---\n${yamlText(hubMetadata(model, results))}---\n`,
    `# ${_plain(titleOf(model))}\n`,
    ...[identity, _how(model), ...others],
  ].join("\n");
}

/** The metadata that the Hub reads, as its specification of model cards names them. */
export function hubMetadata(
  model: ModelDescription,
  results: readonly ModelResults[] = [],
): Record<string, unknown> {
  const { about } = model;
  const index = _modelIndex(model, results);
  const datasets = (about.datasets ?? []).filter(_isHubName);
  return {
    ...hubLicence(about),
    library_name: "mrnet-deno",
    pipeline_tag: PIPELINE,
    tags: _tags(model),
    ...datasets.length > 0 && { datasets },
    metrics: ["roc_auc"],
    ...index.length > 0 && { "model-index": [{ name: titleOf(model), results: index }] },
  };
}

function _tags(model: ModelDescription): string[] {
  const { task } = model;
  const kind = model.kind === "ensemble" ? model.kind : undefined;
  const plane = planeOf(model);
  const networks = singlesOf(model).map(({ network }) => network as string);
  const tags = ["medical-imaging", "mri", "knee", "mrnet", ...networks, task, plane, kind];
  return [...new Set(tags.filter((tag) => tag !== undefined))];
}

/** The models of one plane that a model is made of, itself if it is one. */
export function singlesOf(model: ModelDescription): DescribedSingle[] {
  return model.kind === "single" ? [model] : model.members.flatMap(singlesOf);
}

function _modelIndex(model: ModelDescription, results: readonly ModelResults[]) {
  const task = { type: PIPELINE, name: `Probability of ${findingText(model.task)}` };
  const evaluated = results.map(({ data, split, exams, metrics }) => ({
    task,
    dataset: _dataset(model, `${data}, ${split}: ${exams} exams`, split),
    metrics: metrics.map(({ type, name, value, interval }) => ({
      ...{ type, value, name },
      ...interval && { args: { confidence_interval: [...interval] } },
    })),
  }));
  if (model.kind !== "single") return evaluated;
  const { valAuc, operatingPoint, selectionSet } = model.card;
  if (valAuc === undefined || Number.isNaN(valAuc)) return evaluated;
  const split = operatingPoint?.exams === "tune" ? "tune" : "validation";
  const exams = selectionSet === undefined ? "" : ` (${selectionSet.exams} exams)`;
  const name = "AUC on the exams that chose the epoch, better than on new ones";
  const own = {
    task,
    dataset: _dataset(model, `exams that chose the epoch${exams}`, split),
    metrics: [{ type: "roc_auc", value: valAuc, name }],
  };
  return [...evaluated, own];
}

function _dataset({ about }: ModelDescription, name: string, split: string) {
  const [dataset] = about.datasets ?? [];
  const type = dataset === undefined ? "exams" : _isHubName(dataset) ? dataset : slug(dataset);
  return { type, name: dataset === undefined ? name : `${dataset}: ${name}`, split };
}

/** Whether a dataset is named as those on the Hub are: `owner/name`. */
function _isHubName(name: string): boolean {
  return /^[\w.-]{1,96}\/[\w.-]{1,96}$/.test(name);
}

function _how(model: ModelDescription): string {
  const given = planeOf(model) === "combined"
    ? PLANES.map((plane) => `${plane}.npy`)
    : ["exam.npy"];
  return [
    "## How to use it\n",
    "```sh",
    documentedCommandLine("predict", "--model", baseName(model.file), ...given),
    "```\n",
    "An exam is a NumPy array `[slices, height, width]` of one series, as in the MRNet dataset; a " +
    "folder from a scanner is taken too. " +
    `The network reads each slice (${
      [...new Set(singlesOf(model).map(({ network }) => networkOf(network).title))].join(", ")
    }).\n`,
  ].join("\n");
}

function _markdown({ title, paragraphs = [], rows = [] }: CardSection): string {
  const list = rows.map(([name, value]) => `- **${_plain(name)}**: ${_value(value)}`);
  return [
    `## ${_plain(title)}\n`,
    ...paragraphs.map((each) => `${_plain(each)}\n`),
    ...list.length === 0 ? [] : [...list, ""],
  ].join("\n");
}

/** What stands behind a name in a list; a hash is set as code. */
function _value(value: string): string {
  if (/^[0-9a-f]{16,64}$/.test(value)) return `\`${value}\``;
  return _plain(value).replace(/\n+/g, "<br>");
}

/** Text that Markdown and HTML leave as it is; an address stays one. */
function _plain(text: string): string {
  return text.replace(
    /[\\`*[\]<>|]|(?<=\s|^)[#_]|_(?=\s|$)/g,
    (mark) => mark === "<" ? "&lt;" : mark === ">" ? "&gt;" : `\\${mark}`,
  );
}
