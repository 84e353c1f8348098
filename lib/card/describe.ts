/**
 * What is known of a model, a combination or an ensemble by its files. No network is loaded: of a model
 * only the header is read, of the others the JSON and the headers of the members.
 */
import type { ClassifierKind } from "../classifier/classifier.ts";
import { type Ensemble, ENSEMBLE_FORMAT } from "../classifier/ensemble.ts";
import { openMember } from "../classifier/members.ts";
import type { Combination } from "../combine/combination.ts";
import { combinationFrom, isCombinationFile } from "../combine/file.ts";
import type { Intensity } from "../data/intensity.ts";
import { OptionError, WeightsError } from "../errors.ts";
import type { ModelCard } from "../model/card.ts";
import { readCardWith } from "../model/card_metadata.ts";
import type { CardText } from "../model/card_text.ts";
import { hashSource, modelFileName, type ModelSource } from "../model/model_source.ts";
import { openModelSource } from "../model/model_source.ts";
import { identifyMRNet } from "../model/weights/read.ts";
import type { NetworkName } from "../network/networks.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import type { Source } from "../source.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";

/** What a caller knows of a model whose file does not say it, as a file of PyTorch. */
export interface CardHints {
  /** The finding. */
  task?: Task;
  /** The plane. */
  plane?: Plane;
  /** How the model's input is prepared. */
  intensity?: Intensity;
}

const HINT_NAMES: OptionNames<CardHints> = { task: true, plane: true, intensity: true };

/** What every description has. */
export interface Described {
  /** Its name: that of its card, or else that of the file without its ending. */
  name: string;
  /** The file's path or address. */
  file: string;
  /** Where its bytes are. */
  source: ModelSource;
  /** The SHA-256 of the file, in hexadecimal. */
  sha256: string;
  /** The size of the file in bytes. */
  bytes: number;
  /** The finding, if it is known. */
  task?: Task;
  /** What people say of it; of a combination or an ensemble what all its members say alike. */
  about: CardText;
}

/** A model of one plane. */
export interface DescribedSingle extends Described {
  /** What it is. */
  kind: "single";
  /** The plane, if it is known. */
  plane?: Plane;
  /** Its network. */
  network: NetworkName;
  /** What its file says. */
  card: ModelCard;
}

/** A combination of three planes. */
export interface DescribedCombination extends Described {
  /** What it is. */
  kind: "combined";
  /** What its file says. */
  card: Combination;
  /** Its models: axial, coronal, sagittal; none if it was fitted on a table. */
  members: readonly DescribedSingle[];
}

/** An ensemble. */
export interface DescribedEnsemble extends Described {
  /** What it is. */
  kind: "ensemble";
  /** What its file says. */
  card: Ensemble;
  /** Its members. */
  members: readonly (DescribedSingle | DescribedCombination)[];
}

/** What is known of a model, a combination or an ensemble. */
export type ModelDescription = DescribedSingle | DescribedCombination | DescribedEnsemble;

/** As in `verbs.ts`, where it is described. */
export async function describeModel(
  source: ModelSource,
  hints: CardHints = {},
): Promise<ModelDescription> {
  checkOptionNames("describe a model", hints, HINT_NAMES);
  using opened = await openModelSource(source);
  return await _describe(source, opened, hints);
}

async function _describe(
  source: ModelSource,
  opened: Source,
  hints: CardHints,
  known?: string,
): Promise<ModelDescription> {
  const file = opened.name;
  const sha256 = known ?? await hashSource(opened);
  const about = { file, source, sha256, bytes: opened.size };
  const name = modelFileName(source).replace(/\.[a-z]+$/i, "");
  switch (_kindOf(source, opened)) {
    case "single":
      return await _single(opened, { ...about, name }, hints);
    case "combined":
      _checkNoHints(file, hints);
      return await _combined(opened, { ...about, name });
    case "ensemble":
      _checkNoHints(file, hints);
      return await _ensemble(opened, { ...about, name });
  }
}

type _About = Omit<Described, "about" | "task">;

async function _single(
  opened: Source,
  about: _About,
  { task, plane, intensity }: CardHints,
): Promise<DescribedSingle> {
  const { network, metadata } = await identifyMRNet(opened);
  const card = readCardWith(metadata, opened.name, intensity);
  _checkHint(opened.name, "finding", card.task, task);
  _checkHint(opened.name, "plane", card.plane, plane);
  const own = card.about ?? {};
  return {
    ...{ ...about, kind: "single", about: own, name: own.name ?? about.name },
    ...{ network: network.name as NetworkName, card },
    ...{ task: card.task ?? task, plane: card.plane ?? plane },
  };
}

async function _combined(opened: Source, about: _About): Promise<DescribedCombination> {
  const card = combinationFrom(opened);
  const members: DescribedSingle[] = [];
  for (const plane of card.members === undefined ? [] : PLANES) {
    const { intensity, ...named } = card.members![plane];
    const owner = { source: about.source, kind: "combination", member: `${plane} model` } as const;
    const { source, opened: file } = await openMember(owner, named);
    using member = file;
    const hints = { task: card.task, plane, intensity };
    members.push(await _describe(source, member, hints, named.sha256) as DescribedSingle);
  }
  const text = card.about ?? _common(members);
  return {
    ...{ ...about, kind: "combined", about: text, name: text.name ?? about.name },
    ...{ task: card.task, card, members },
  };
}

async function _ensemble(opened: Source, about: _About): Promise<DescribedEnsemble> {
  const { parseEnsemble } = await import("../classifier/ensemble_file.ts");
  const card = parseEnsemble(_textOf(opened), opened.name);
  const { task, plane } = card;
  const members: (DescribedSingle | DescribedCombination)[] = [];
  for (const [index, { intensity, ...named }] of card.members.entries()) {
    const owner = {
      ...{ source: about.source, kind: "ensemble", member: `member ${index + 1}` } as const,
    };
    const { source, opened: file } = await openMember(owner, named);
    using member = file;
    const hints = plane === "combined" ? {} : { task, plane, intensity };
    const described = await _describe(source, member, hints, named.sha256);
    if (described.kind === "ensemble") throw _nested(opened.name, described.file);
    members.push(described);
  }
  const text = card.about ?? _common(members);
  return {
    ...{ ...about, kind: "ensemble", about: text, name: text.name ?? about.name },
    ...{ task, card, members },
  };
}

/** What all members say alike, but for their names: they are not what they are part of. */
function _common(members: readonly ModelDescription[]): CardText {
  const texts = members.map(({ about: { name: _name, ...text } }) => text);
  const [first = {}] = texts;
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) =>
      texts.every((text) =>
        JSON.stringify(text[key as keyof typeof text]) === JSON.stringify(value)
      )
    ),
  );
}

/** What a file holds: as for loading, its name tells weights from JSON, or else the content does. */
function _kindOf(source: ModelSource, opened: Source): ClassifierKind {
  const isJson = isCombinationFile(modelFileName(source)) ||
    opened.size > 0 && opened.read(0, 1)[0] === 0x7b;
  if (!isJson) return "single";
  try {
    return JSON.parse(_textOf(opened))?.format === ENSEMBLE_FORMAT ? "ensemble" : "combined";
  } catch {
    return "combined";
  }
}

/** More than any file of JSON here has. */
const MAX_JSON_BYTES = 128 * 1024;

function _textOf({ size, read }: Source): string {
  return new TextDecoder().decode(read(0, Math.min(size, MAX_JSON_BYTES)));
}

function _checkHint(file: string, what: string, own?: string, told?: string): void {
  if (own === undefined || told === undefined || own === told) return;
  throw new OptionError(
    `Cannot describe '${file}' with the ${what} ${told}: by its file it is ${own}: leave it out`,
  );
}

function _checkNoHints(file: string, hints: CardHints): void {
  const given = Object.entries(hints).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new OptionError(
    `Cannot describe '${file}' with the ${given[0]} ${given[1]}: its file leaves nothing open: ` +
      "leave it out",
  );
}

function _nested(ensemble: string, member: string): WeightsError {
  return new WeightsError(
    `Cannot use the ensemble '${ensemble}': its member '${member}' is an ensemble: ` +
      "make it again of models or combinations",
  );
}
