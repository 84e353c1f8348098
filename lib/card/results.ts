/** Results of an evaluation for a model's card, from what `evaluate --json` printed. */
import { DataError, messageOf } from "../errors.ts";
import { baseName, type FileAction, readBytes } from "../files.ts";
import { quoted } from "../quoted.ts";
import { z } from "../zod.ts";

/** A metric, and the two ends of its 95 % interval. */
export interface ResultMetric {
  /** What it is called on the Hugging Face Hub, such as `roc_auc`. */
  type: string;
  /** What it is called in words. */
  name: string;
  /** The value. */
  value: number;
  /** The interval; none if it is not defined. */
  interval?: readonly [number, number];
}

/** What an evaluation of a model gave. */
export interface ModelResults {
  /** The SHA-256 of the model's file. */
  sha256: string;
  /** The name of the dataset's folder. */
  data: string;
  /** Which of its exams. */
  split: string;
  /** How many exams there were. */
  exams: number;
  /** How many of them had the finding. */
  positives: number;
  /** The threshold from which exams counted as positive. */
  threshold: number;
  /** The metrics. */
  metrics: readonly ResultMetric[];
  /** What is to be kept in mind of them, a sentence each. */
  cautions: readonly string[];
}

/** The largest file, in bytes: predictions of 10,000 exams have far less. */
export const MAX_RESULTS_BYTES = 16 * 1024 * 1024;

const HINT = "give what 'cli.ts evaluate --model MODEL --json' printed";

const Interval = z.tuple([z.number(), z.number()]).nullable();
const Line = z.string().max(1000).regex(/^\P{Cc}*$/u);
const Share = z.number().min(0).max(1);

const EvaluationFile = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  data: Line,
  split: Line,
  exams: z.int().min(1),
  positives: z.int().min(0),
  auc: Share.nullable(),
  auc_ci_delong: Interval,
  average_precision: Share.nullable(),
  average_precision_ci: Interval,
  brier: Share.nullable(),
  thresholds: z.array(z.object({
    threshold: Share,
    kind: Line,
    sensitivity: Share.nullable(),
    sensitivity_ci: Interval,
    specificity: Share.nullable(),
    specificity_ci: Interval,
    accuracy: Share.nullable(),
    accuracy_ci: Interval,
  })).min(1),
  cautions: z.array(Line).max(100),
});

/** As in `verbs.ts`, where it is described. */
export async function readResults(path: string): Promise<ModelResults> {
  const action: FileAction = {
    ...{ what: "read the results", path, access: "read", error: DataError, hint: HINT },
  };
  return decodeResults(await readBytes(action, { most: MAX_RESULTS_BYTES, hint: HINT }), path);
}

/** The same from the bytes of a whole file. */
export function decodeResults(bytes: Uint8Array, path: string): ModelResults {
  try {
    return _results(EvaluationFile.parse(JSON.parse(new TextDecoder().decode(bytes))));
  } catch (error) {
    const found = error instanceof z.ZodError
      ? _firstIssue(error)
      : `it is not JSON (${quoted(messageOf(error)).slice(1, -1)})`;
    throw new DataError(`Cannot use the results '${path}': ${found}: ${HINT}`);
  }
}

function _results(file: z.infer<typeof EvaluationFile>): ModelResults {
  const { sha256, data, split, exams, positives, thresholds, cautions } = file;
  // The model's own threshold, if it has one.
  const own = ["operating_point", "rule"];
  const at = thresholds.find(({ kind }) => own.includes(kind)) ?? thresholds[0];
  const metric = (
    type: string,
    name: string,
    value: number | null,
    interval: [number, number] | null = null,
  ): ResultMetric[] => value === null ? [] : [{ type, name, value, ...(interval && { interval }) }];
  return {
    // Where the folder lay is nobody's business.
    ...{ sha256, data: baseName(data), split, exams, positives, threshold: at.threshold, cautions },
    metrics: [
      ...metric("roc_auc", "AUC", file.auc, file.auc_ci_delong),
      ...metric(
        "average_precision",
        "Average precision",
        file.average_precision,
        file.average_precision_ci,
      ),
      ...metric("recall", "Sensitivity", at.sensitivity, at.sensitivity_ci),
      ...metric("specificity", "Specificity", at.specificity, at.specificity_ci),
      ...metric("accuracy", "Accuracy", at.accuracy, at.accuracy_ci),
      ...metric("brier_score", "Brier score", file.brier),
    ],
  };
}

function _firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length === 0 ? "it is no JSON object" : `its ${path.join(".")}: ${message}`;
}
