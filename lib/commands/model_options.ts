/** The options that every command with a trained model shares. */
import { TOLD_INTENSITIES } from "../data/intensity.ts";
import { ENGINE_CHOICES } from "../engine/engine.ts";
import { OPERATING_RULES, parseOperatingRule } from "../metrics/operating_rule.ts";
import { TASKS } from "../terms.ts";
import { choice, option, text, UsageError, wholeNumber } from "./arguments.ts";

/** The files of classifiers, for help. */
export const CLASSIFIER_FILES =
  "the model: .safetensors, .pth or .pt, or .json of a combination or an ensemble";

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
    choice(TOLD_INTENSITIES),
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

/** `--card`: what only people know of a model. */
export function cardOption() {
  return option(
    "--card <FILE>",
    "JSON for the card: what it is for, its licence, its authors",
    text,
  );
}

/** `--operating_point`: how a threshold is chosen. */
export function operatingPointOption(exams: string) {
  return option(
    "--operating_point <RULE>",
    `how ${exams} choose it: ${OPERATING_RULES}`,
    (text) => {
      const rule = parseOperatingRule(text);
      if (rule === undefined) {
        throw new UsageError(
          `invalid value: '${text}' (must be ${OPERATING_RULES})`,
        );
      }
      return rule;
    },
  );
}
