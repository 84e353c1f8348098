/** The readers of plans and what lies beside them. */
import { parseManifest } from "../../../lib/classifier/manifest.ts";
import { formatFolds, parseFolds } from "../../../lib/data/folds.ts";
import { DataError } from "../../../lib/errors.ts";
import type { DoneModel } from "../../../lib/plan/done_model.ts";
import { describeFailure, FAILURE } from "../../../lib/plan/failed_file.ts";
import type { Plan } from "../../../lib/plan/plan.ts";
import { formatPlan, parsePlan } from "../../../lib/plan/plan_file.ts";
import { RUN_NOTE } from "../../../lib/plan/run_note.ts";
import { trainUnits } from "../../../lib/plan/train_units.ts";
import { formatUnit, parseUnit } from "../../../lib/plan/unit_file.ts";
import { formatNote, parseNote } from "../../../lib/plan/unit_note.ts";
import { PLANES } from "../../../lib/terms.ts";
import type { FuzzReader } from "./case.ts";
import { promise, written } from "./seeds.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const HASH = "0123456789abcdef".repeat(4);

function plans(): FuzzReader {
  const settings = [{
    name: "lr 0.0001",
    options: { network: "alexnet", lr: 1e-4, augment: false, recipe: "reference" },
    weights: { file: "models/alexnet.pth", sha256: HASH },
  }];
  const units = { tasks: ["acl"], planes: PLANES, settings, seed: 7, seeds: 2, folds: 2 } as const;
  const all: Plan[] = [
    {
      ...{ kind: "folds", asked: { lr: 1e-4, labels: { "train-acl": "ab" } }, data: "data" },
      ...{
        prefix: "mrnet",
        tune: { fraction: 0.1, seed: 0 },
        evaluateOn: ["tune", "fold"],
        settings,
      },
      ...{ folds: { count: 2, sha256: HASH }, labels: { "train-acl": HASH.slice(0, 16) } },
      ...{ exams: { axial: HASH.slice(0, 16) }, units: trainUnits({ ...units, threads: 2 }) },
    },
    {
      ...{
        kind: "score",
        asked: { chunk: 3 },
        manifest: { file: "a.csv", sha256: HASH, exams: 3 },
      },
      ...{ model: { file: "m.json", sha256: HASH }, engine: "wasm", threads: 1 },
      units: [{ index: 0, id: "chunk-0001", first: 0, count: 3 }],
    },
  ];
  return {
    name: "plan",
    seeds: written("plan", all.map(formatPlan)),
    refuses: DataError,
    async read(bytes) {
      const { units } = await parsePlan(textOf(bytes), "plan.json");
      promise(
        units.every(({ id }) => /^[\w.-]{1,100}$/.test(id) && id !== ".."),
        "a path as an id",
      );
      promise(units.every(({ index }, at) => index === at), "another number");
    },
  };
}

function units(): FuzzReader {
  const model: DoneModel = {
    ...{ checkpoint: "models/m.safetensors", sha256: HASH, epoch: 2, epochs: 3 },
    computed: { engine: "wasm", threads: 2, precision: "float32" },
    leftOut: [{ split: "fold", id: "0011", reason: "there is no such file" }],
    ...{ tune: [["0000", 0, 0.25, -1.1]], tuneExams: ["0123456789abcdef"] },
    ...{ fold: [["0001", 1, 0.5, 0]], foldExams: ["fedcba9876543210"], valid: [] },
  };
  return {
    name: "unit",
    seeds: written("unit", [formatUnit({ plan: HASH, id: "acl-axial" }, model)]),
    refuses: DataError,
    read(bytes) {
      const of = { kind: "folds", plan: HASH, id: "acl-axial" } as const;
      const result = parseUnit(textOf(bytes), "unit.json", of) as DoneModel;
      const said = [...result.tune, ...result.fold ?? [], ...result.valid];
      promise(
        said.every(([id, label]) => /^[\w-]{1,64}$/.test(id) && (label === 0 || label === 1)),
        "an id",
      );
      promise(!/\p{Cc}/u.test(result.checkpoint), "a path that moves the cursor");
    },
  };
}

function notes(): FuzzReader {
  const of = { plan: HASH, id: "acl-axial" };
  const texts = [
    formatNote(of, FAILURE, describeFailure(new Error("Cannot train\n\u001b[2J"))),
    formatNote(of, RUN_NOTE, { run: "20260102-030405" }),
  ];
  return {
    name: "unit note",
    seeds: written("unit note", texts),
    refuses: DataError,
    read(bytes) {
      const text = textOf(bytes);
      const kind = text.includes(RUN_NOTE.format) ? RUN_NOTE : FAILURE;
      const said = parseNote(text, kind.file, of, kind) ?? "";
      promise(!/\p{Cc}/u.test(said), "what moves the cursor");
      promise(kind === FAILURE || said === "" || /^\d{8}-\d{6}/.test(said), "no name of a run");
    },
  };
}

function folds(): FuzzReader {
  const texts = [
    "id,fold\n0001,1\n0002,2\n",
    'id,fold,patient\n1,1,"a, b"\n2,1,"a, b"\n3,2,c\n',
  ];
  return {
    name: "folds",
    seeds: written("folds", texts),
    refuses: DataError,
    read(bytes) {
      const rows = parseFolds(textOf(bytes), "folds.csv");
      promise(new Set(rows.map(({ id }) => id)).size === rows.length, "an exam twice");
      const again = parseFolds(formatFolds(rows), "folds.csv");
      promise(JSON.stringify(again) === JSON.stringify(rows), "what is not read back");
    },
  };
}

function manifest(): FuzzReader {
  const texts = [
    "id,axial,coronal,sagittal\nknee 1,a/1.npy,c/1.npy,s/1.npy\n2,,c/2.npy,s/2.npy\n",
    'sagittal;id;axial;coronal\n"s 1.npy";"k;1";a.npy;c.npy\n',
  ];
  return {
    name: "manifest",
    seeds: written("manifest", texts),
    refuses: DataError,
    read(bytes) {
      const exams = parseManifest(textOf(bytes), "exams.csv", PLANES);
      promise(exams.length > 0, "no exams");
      promise(new Set(exams.map(({ id }) => id)).size === exams.length, "an id twice");
    },
  };
}

/** All of them. */
export function planReaders(): FuzzReader[] {
  return [plans(), units(), notes(), folds(), manifest()];
}
