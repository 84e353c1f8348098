/**
 * An evaluation made of drawn predictions, to render without a model.
 */
import { type NamedThreshold, summarizePredictions } from "../../lib/metrics/summary.ts";
import { decide } from "../../lib/model/card.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { compareAll } from "../../lib/report/evaluate_model.ts";
import type { EvaluatedModel, ModelEvaluation } from "../../lib/report/evaluate_model.ts";
import { createRandom } from "../../lib/random.ts";
import type { Label } from "../../lib/terms.ts";

/** The thresholds of a model with an operating point, and one that was asked for. */
export const THRESHOLDS: readonly NamedThreshold[] = [
  { threshold: 0.5, kind: "half" },
  { threshold: 0.3614, kind: "operating point" },
  { threshold: 0.7, kind: "given" },
];

/** Drawn predictions; the further the classes lie apart, the better they are told apart. */
export function drawPredictions(
  exams: number,
  apart: number,
  seed = 5,
): EvaluatedModel["predictions"] {
  const random = createRandom(seed, "predictions");
  return Array.from({ length: exams }, (_, i) => {
    const label: Label = i % 20 < 9 ? 1 : 0;
    const logit = 1.6 * (apart * (label - 0.5) + random.normal());
    const probability = sigmoid(logit);
    const logits: [number, number] = [-logit, logit];
    return {
      id: String(1130 + i),
      label,
      ...{ logit, logits, probability, planes: { sagittal: { logits, probability } } },
      ...decide(probability, {}),
      loss: -Math.log(label === 1 ? probability : 1 - probability),
    };
  });
}

/** An evaluation of such predictions. */
export function drawEvaluation(
  predictions = drawPredictions(40, 1.9),
  given: Partial<ModelEvaluation> = {},
): ModelEvaluation {
  const evaluated = (predictions: EvaluatedModel["predictions"], file: string): EvaluatedModel => ({
    file,
    sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    card: {
      task: "acl",
      plane: "sagittal",
      intensity: "raw",
      operatingPoint: { threshold: 0.3614, rule: "youden", exams: "tune" },
      tune: { fraction: 0.1, seed: 0 },
      epochBy: ["tune"],
    },
    metadata: { config: JSON.stringify({ epochs: 50, lr: 1e-5, augment: true }), epoch: "17" },
    predictions,
    summary: summarizePredictions(predictions, { seed: 1, samples: 200, thresholds: THRESHOLDS }),
  });
  const other = predictions.map((each) => ({ ...each, probability: each.probability ** 2 }));
  return {
    ...evaluated(predictions, "models/one.safetensors"),
    data: "data",
    split: "valid",
    engine: "WebAssembly on the processor, 2 threads (asked for by name)",
    against: compareAll(evaluated(predictions, ""), [evaluated(other, "models/other.safetensors")]),
    ...given,
  };
}
