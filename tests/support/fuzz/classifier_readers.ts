/** The readers of what ensembles are made of, with small valid files to damage. */
import { type Ensemble, MAX_MEMBERS } from "../../../lib/classifier/ensemble.ts";
import { formatEnsemble, parseEnsemble } from "../../../lib/classifier/ensemble_file.ts";
import { MAX_JSON_BYTES } from "../../../lib/classifier/load.ts";
import {
  decodeOutOfFold,
  outOfFoldOf,
  readOutOfFold,
} from "../../../lib/classifier/out_of_fold.ts";
import { MAX_TABLE_BYTES } from "../../../lib/combine/prediction_table.ts";
import {
  decodeExamTable,
  MAX_EXAM_TABLE_BYTES,
  readExamTable,
} from "../../../lib/data/exam_table.ts";
import { isExamId } from "../../../lib/data/labels.ts";
import { DataError, WeightsError } from "../../../lib/errors.ts";
import type { FuzzReader } from "./case.ts";
import { promise, written } from "./seeds.ts";

function ensemble(): FuzzReader {
  const member = (digit: string) => ({ file: "../a.safetensors", sha256: digit.repeat(64) });
  const plain: Ensemble = {
    ...{ task: "acl", plane: "axial" },
    members: [member("1"), { ...member("2"), intensity: "standardized" }],
  };
  const chosen: Ensemble = {
    ...plain,
    plane: "combined",
    outOfFold: {
      ...{ exams: 3, positives: 1, auc: 0.5 },
      hashes: ["00", "01", "02"].map((each) => each.repeat(8)),
      operatingPoint: { threshold: 0.25, rule: "youden", exams: "out-of-fold" },
    },
  };
  return {
    name: "ensemble",
    seeds: written("ensemble", [plain, chosen], formatEnsemble),
    refuses: WeightsError,
    read(bytes) {
      const read = parseEnsemble(new TextDecoder().decode(bytes), "a.json");
      const { members, outOfFold } = read;
      promise(members.length >= 2 && members.length <= MAX_MEMBERS, `${members.length} members`);
      promise(!members.some(({ file }) => /\p{Cc}/u.test(file)), "what moves the cursor");
      if (outOfFold !== undefined) {
        const { exams, positives, operatingPoint: { threshold } } = outOfFold;
        promise(positives > 0 && positives < exams, "one class alone");
        promise(threshold >= 0 && threshold <= 1, `a threshold of ${threshold}`);
      }
      const again = parseEnsemble(formatEnsemble(read), "a.json");
      promise(JSON.stringify(again) === JSON.stringify(read), "what is not read back");
    },
    limit: MAX_JSON_BYTES,
  };
}

function outOfFold(): FuzzReader {
  const texts = [
    "exam,label,probability\n0012,1,0.9\n0013,0,.2\n",
    "\ufeffhash;logit;LABEL;Exam;probability\r\n0123456789abcdef;1e-1;1;a;0.5\r\n" +
    "fedcba9876543210;-2;0;b;0.1",
    "exam,label,probability\n" +
    Array.from({ length: 200 }, (_, index) => `${index},${index % 2},0.5\n`).join(""),
  ];
  return {
    name: "out_of_fold",
    seeds: written("table", texts),
    refuses: DataError,
    read(bytes) {
      const rows = decodeOutOfFold(bytes, "a.csv");
      promise(new Set(rows.map(({ id }) => id)).size === rows.length, "an exam twice");
      const { exams, positives, auc, hashes, operatingPoint: { threshold } } = outOfFoldOf(rows);
      promise(positives > 0 && positives < exams && exams === rows.length, "one class alone");
      promise(auc >= 0 && auc <= 1 && threshold >= 0 && threshold <= 1, `${auc}, ${threshold}`);
      promise(hashes === undefined || hashes.length === exams, "hashes of some exams only");
    },
    limit: MAX_TABLE_BYTES,
    readFile: readOutOfFold,
    extension: ".csv",
  };
}

function examTable(): FuzzReader {
  const texts = [
    "id,patient\n0012,a\n0013,a\n",
    "\ufeffID;scanner;side\r\n12;GE;left\r\n13;;right\r\n14;Siemens\r\n",
    "id\tage\n" + Array.from({ length: 200 }, (_, index) => `${index}\t${index % 90}\n`).join(""),
  ];
  return {
    name: "exam_table",
    seeds: written("table", texts),
    refuses: DataError,
    read(bytes) {
      const { columns, rows } = decodeExamTable(bytes, "a.csv");
      promise(columns.length > 0 && new Set(columns).size === columns.length, "columns alike");
      promise(rows.size > 0, "no exams");
      for (const [id, values] of rows) {
        promise(isExamId(id) && values.length === columns.length, `${id}: ${values.length} values`);
      }
    },
    limit: MAX_EXAM_TABLE_BYTES,
    readFile: readExamTable,
    extension: ".csv",
  };
}

/** Those readers, and that of what else is known about exams. */
export function classifierReaders(): FuzzReader[] {
  return [ensemble(), outOfFold(), examTable()];
}
