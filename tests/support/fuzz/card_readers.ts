/** The readers of what people and evaluations say of a model, with small valid files to damage. */
import { decodeResults, MAX_RESULTS_BYTES, readResults } from "../../../lib/card/results.ts";
import { DataError } from "../../../lib/errors.ts";
import {
  cardTextJson,
  decodeCardFile,
  MAX_CARD_BYTES,
  readCardFile,
} from "../../../lib/model/card_text.ts";
import { FULL_CARD } from "../described.ts";
import { evaluationFile } from "../results_file.ts";
import type { FuzzReader } from "./case.ts";
import { encoder, promise } from "./seeds.ts";

function cardFile(): FuzzReader {
  const files = [cardTextJson(FULL_CARD.about!), { license: "MIT", authors: ["A"] }];
  return {
    name: "card_file",
    seeds: files.map((file, index) => ({
      name: `card file ${index}`,
      bytes: encoder.encode(JSON.stringify(file, null, 2)),
    })),
    refuses: DataError,
    read(bytes) {
      for (const [name, value] of Object.entries(decodeCardFile(bytes, "a.json"))) {
        const lines = Array.isArray(value) ? value : [value];
        promise(
          lines.every((line) => typeof line === "string" && line !== ""),
          `${name}: ${value}`,
        );
        promise(!/[^\P{C}\n]/u.test(lines.join("")), `${name} commands a terminal`);
      }
    },
    limit: MAX_CARD_BYTES,
    readFile: readCardFile,
    extension: ".json",
  };
}

function results(): FuzzReader {
  return {
    name: "results",
    seeds: [{
      name: "an evaluation",
      bytes: encoder.encode(JSON.stringify(evaluationFile("0".repeat(64)))),
    }],
    refuses: DataError,
    read(bytes) {
      const { exams, metrics, threshold } = decodeResults(bytes, "a.json");
      promise(exams >= 1 && threshold >= 0 && threshold <= 1, `${exams} exams, ${threshold}`);
      promise(metrics.every(({ value }) => Number.isFinite(value)), "a metric that is no number");
    },
    limit: MAX_RESULTS_BYTES,
    readFile: readResults,
    extension: ".json",
  };
}

/** Those readers. */
export function cardReaders(): FuzzReader[] {
  return [cardFile(), results()];
}
