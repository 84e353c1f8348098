/** The readers of results: predictions, what was fitted to them, and answers that are kept. */
import { type Combination, combinedProbability } from "../../../lib/combine/combination.ts";
import {
  formatCombination,
  MAX_COMBINATION_BYTES,
  parseCombination,
  readCombination,
} from "../../../lib/combine/file.ts";
import { MAX_TABLE_BYTES } from "../../../lib/combine/prediction_table.ts";
import { decodePredictions, readPredictions } from "../../../lib/combine/predictions.ts";
import { DataError, WeightsError } from "../../../lib/errors.ts";
import type { DoneModel } from "../../../lib/plan/done_model.ts";
import {
  MAX_STATE_BYTES,
  parseState,
  readState,
  type RunAllState,
} from "../../../lib/plan/run_all/state.ts";
import { formatState } from "../run_all_state.ts";
import { KeptMap, MAX_KEPT_BYTES, parseKept } from "../../../lib/serve/viewer/kept_map.ts";
import { isKept, type Kept } from "../../../lib/serve/viewer/verdicts.ts";
import type { FuzzReader } from "./case.ts";
import { promise, written } from "./seeds.ts";

function predictions(): FuzzReader {
  const texts = [
    "label,axial,coronal,sagittal\n1,0.9,0.5,0.8\n0,.2,1,3e-1\n",
    '\ufeff"sagittal",exam,LABEL,coronal,axial\r\n0.9,0012,1,1.0,0.8\r\n0.1,0013,0,0,5e-2\r',
    "label,axial,coronal,sagittal\n" + "1,0.9,0.5,0.8\n0,0.1,0.25,0\n".repeat(100),
  ];
  return {
    name: "predictions",
    seeds: written("table", texts),
    refuses: DataError,
    read(bytes) {
      const rows = decodePredictions(bytes, "a.csv");
      promise(new Set(rows.map(({ label }) => label)).size === 2, "one class alone");
      for (const { label, probabilities } of rows) {
        const all = Object.values(probabilities);
        promise((label === 0 || label === 1) && all.length === 3, `${label}, ${all}`);
        promise(all.every((value) => value >= 0 && value <= 1), `${all}`);
      }
    },
    limit: MAX_TABLE_BYTES,
    readFile: readPredictions,
    extension: ".csv",
  };
}

function combination(): FuzzReader {
  const member = { file: "../model.safetensors", sha256: "0123456789abcdef".repeat(4) };
  const fitted: Combination = {
    coefficients: { axial: 1.5, coronal: -0.25, sagittal: 2 },
    intercept: -1.75,
    fitOn: "table",
    exams: 113,
    positives: 23,
    auc: 0.97,
    operatingPoint: { threshold: 0.5, rule: "youden", exams: "table" },
  };
  const whole: Combination = {
    ...fitted,
    ...{ task: "acl", fitOn: "tune", tune: { fraction: 0.1, seed: 0 } },
    operatingPoint: { threshold: 0.25, rule: "youden", exams: "tune" },
    ...{ exams: 3, positives: 1, fitExams: ["00", "01", "02"].map((each) => each.repeat(8)) },
    members: { axial: member, coronal: member, sagittal: member },
  };
  return {
    name: "combination",
    seeds: written("combination", [fitted, whole], formatCombination),
    refuses: WeightsError,
    read(bytes) {
      const read = parseCombination(new TextDecoder().decode(bytes), "a.json");
      const probability = combinedProbability(read, { axial: 0, coronal: 0.5, sagittal: 1 });
      promise(probability >= 0 && probability <= 1, `a probability of ${probability}`);
      promise(read.positives > 0 && read.positives < read.exams, "one class alone");
      const again = parseCombination(formatCombination(read), "a.json");
      promise(JSON.stringify(again) === JSON.stringify(read), "what is not read back");
    },
    limit: MAX_COMBINATION_BYTES,
    readFile: readCombination,
    extension: ".json",
  };
}

function runAllState(): FuzzReader {
  const model: DoneModel = {
    checkpoint: "models/model_mrnet_acl_axial.safetensors",
    sha256: "0123456789abcdef".repeat(4),
    ...{ epoch: 2, epochs: 3 },
    computed: { engine: "wasm", threads: 2, precision: "float32" },
    leftOut: [{ split: "valid", id: "0011", reason: "there is no such file" }],
    tune: [["0000", 0, 0.25], ["0003", 1, 0.75]],
    tuneExams: ["0123456789abcdef", "fedcba9876543210"],
    valid: [["0010", 1, 1], ["knee-3_L", 0, 1e-7]],
  };
  const begun = { config: { epochs: 3, labels: { "train-acl": "ab12" } }, models: {} };
  const states: RunAllState[] = [
    { ...begun, running: { model: "acl/coronal", logFolder: "logs/acl/coronal/20260101-000000" } },
    { ...begun, models: { "acl/axial": model, "acl/coronal": { ...model, leftOut: [] } } },
  ];
  return {
    name: "run_all",
    seeds: written("run_all", states, formatState),
    refuses: DataError,
    read(bytes) {
      const { models, running } = parseState(new TextDecoder().decode(bytes), "a.json");
      promise(!/\p{Cc}/u.test(running?.logFolder ?? ""), "a folder that moves the cursor");
      for (const { checkpoint, leftOut, tune, valid } of Object.values(models)) {
        const printed = [checkpoint, ...leftOut.map(({ reason }) => reason)];
        promise(!printed.some((text) => /\p{Cc}/u.test(text)), "what moves the cursor");
        for (const [id, label, probability] of [...tune, ...valid]) {
          promise(/^[\w-]{1,64}$/.test(id) && (label === 0 || label === 1), `'${id}', ${label}`);
          promise(probability >= 0 && probability <= 1, `a probability of ${probability}`);
        }
      }
    },
    limit: MAX_STATE_BYTES,
    readFile: readState,
    extension: ".json",
  };
}

function keptVerdicts(): FuzzReader {
  const options = { path: "kept.json", about: "a model", check: isKept };
  const sha256 = "0123456789abcdef".repeat(4);
  const text = (values: Record<string, Kept>) =>
    JSON.stringify({ format: 1, about: "a model", values });
  return {
    name: "verdicts",
    seeds: written("verdicts", [
      text({}),
      text({ [sha256]: [0.25, -1.0986], [`${sha256}+${sha256}+${sha256}`]: [1, 40] }),
    ]),
    refuses: DataError,
    read(bytes) {
      for (
        const [probability, logit] of parseKept(new TextDecoder().decode(bytes), options).values()
      ) {
        promise(probability >= 0 && probability <= 1, `a probability of ${probability}`);
        promise(Number.isFinite(logit), `a logit of ${logit}`);
      }
    },
    limit: MAX_KEPT_BYTES,
    readFile: (path) => new KeptMap({ ...options, path }).load(),
    extension: ".json",
  };
}

/** These readers. */
export function resultReaders(): FuzzReader[] {
  return [predictions(), combination(), runAllState(), keptVerdicts()];
}
