/**
 * The options that every command with a trained model shares, and the model that they name.
 *
 * @module
 */
import { INTENSITIES, type Intensity } from "../data/intensity.ts";
import { type Engine, ENGINE_CHOICES, type EngineChoice, startEngine } from "../engine/engine.ts";
import { settleCard, type SettledCard } from "../model/card.ts";
import { type LoadedMRNet, loadMRNet } from "../model/create.ts";
import { type Plane, type Task, TASKS } from "../terms.ts";
import { choice, option, text, wholeNumber } from "./arguments.ts";

/** `--model`, which must be given. */
export function modelOption(description = "the model: .safetensors, .pth or .pt") {
  return option("--model <FILE>", description, text).makeOptionMandatory();
}

/** `-t`, for files that do not say which finding they predict. */
export function taskOption() {
  return option(
    "-t, --task <{abnormal,acl,meniscus}>",
    "the finding, where the model's file does not say it",
    choice(TASKS),
  );
}

/** `-p`, for files that do not say which plane they read. */
export function planeOption() {
  return option(
    "-p, --plane <{sagittal,coronal,axial}>",
    "the plane, where the model's file does not say it",
    choice(["sagittal", "coronal", "axial"]),
  );
}

/** `--intensity`, for files that do not say how their model's input is prepared. */
export function intensityOption() {
  return option(
    "--intensity <{raw,standardized}>",
    "grey values as in the file, or standardized, where the model's file does not say it",
    choice(INTENSITIES),
  );
}

/** What is said once of a file that leaves it open, where nobody else says it. */
export function intensityRemark(file: string): string {
  return `'${file}' does not say how its model's input is prepared: taken as raw`;
}

/** `--backend`. */
export function backendOption() {
  return option(
    "--backend <{auto,webgpu,wasm,cpu}>",
    "the engine to compute on",
    choice(ENGINE_CHOICES),
  ).default("auto" as const);
}

/** `--threads`. */
export function threadsOption() {
  return option(
    "--threads <N>",
    "threads of the wasm engine (default: the processor's cores, at most 16)",
    wholeNumber(1),
  );
}

/** `--data`. */
export function dataOption() {
  return option("--data <DIR>", "folder of the dataset", text).default("data");
}

/** What these options say about a model. */
export interface GivenModel {
  model: string;
  task?: Task;
  plane?: Plane;
  intensity?: Intensity;
  backend: EngineChoice;
  threads?: number;
}

/** A model ready for use. */
export interface OpenedModel extends LoadedMRNet {
  /** What the file says about it, with what the options say added. */
  card: SettledCard;
  /** Where it was put. */
  engine: Engine;
}

/**
 * Starts the engine and reads the model.
 *
 * @throws {OptionError} where file and options together leave task or plane open, or contradict
 * each other
 * @throws {WeightsError} where the file is no model
 * @throws {EngineError} where the engine cannot be had
 */
export async function openModel(given: GivenModel): Promise<OpenedModel> {
  const engine = await startEngine(given.backend, { threads: given.threads });
  const loaded = await loadMRNet(given.model, { intensity: given.intensity });
  try {
    return { ...loaded, card: settleCard(loaded.card, given, given.model), engine };
  } catch (error) {
    loaded.model.dispose();
    throw error;
  }
}
