/**
 * Every reader of this toolkit that takes a file on trust from somebody else, with small valid files
 * to damage and a check of what it answers.
 */
import { type Combination, combinedProbability } from "../../../lib/combine/combination.ts";
import {
  formatCombination,
  MAX_COMBINATION_BYTES,
  parseCombination,
  readCombination,
} from "../../../lib/combine/file.ts";
import { MAX_TABLE_BYTES } from "../../../lib/combine/prediction_table.ts";
import { decodePredictions, readPredictions } from "../../../lib/combine/predictions.ts";
import { examFromNpy, readExam } from "../../../lib/data/exam.ts";
import { LANDMARK_PERCENTILES, type Landmarks } from "../../../lib/data/landmarks.ts";
import {
  decodeLabels,
  examFile,
  examId,
  formatLabels,
  MAX_LABEL_BYTES,
  readLabels,
} from "../../../lib/data/labels.ts";
import { decodeNpy, encodeNpy, readNpy } from "../../../lib/data/npy.ts";
import { DataError, WeightsError } from "../../../lib/errors.ts";
import { EventWriter } from "../../../lib/logs/tensorboard.ts";
import { encodeRecord } from "../../../lib/logs/tfrecord.ts";
import { readCard } from "../../../lib/model/card_metadata.ts";
import { isFloatType } from "../../../lib/model/weights/floats.ts";
import { locateMRNet, MRNET_PARAMETERS } from "../../../lib/model/weights/mrnet.ts";
import { encodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import { MAX_HEADER_BYTES } from "../../../lib/model/weights/safetensors_header.ts";
import { bytesSource, type Source } from "../../../lib/model/weights/source.ts";
import { elementCount, type Weights } from "../../../lib/model/weights/tensors.ts";
import { encodeZip, readZip, readZipEntry } from "../../../lib/zip.ts";
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
import type { TrainProgress } from "../../../lib/train/progress.ts";
import type { RunSettings } from "../../../lib/train/kept_settings.ts";
import { parseRunConfig } from "../../../lib/train/run_config.ts";
import {
  decodeRunStateHeader,
  readRunState,
  readRunStateFrom,
} from "../../../lib/train/run_state.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { cardReaders } from "./card_readers.ts";
import { classifierReaders } from "./classifier_readers.ts";
import { imagingReaders } from "./imaging_readers.ts";
import { joined } from "./mutate.ts";
import { pacsReaders } from "./pacs_readers.ts";
import { planReaders } from "./plan_readers.ts";
import { decodeRecords, readEvents } from "../events.ts";
import { decodePytorch, decodeSafetensors, readWeights } from "../weights.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);
const encoder = new TextEncoder();

function fixtures(folder: string, wanted: RegExp): Seed[] {
  const url = new URL(`${folder}/`, FIXTURES);
  const names = [...Deno.readDirSync(url)].map(({ name }) => name).filter((name) =>
    wanted.test(name)
  );
  return names.sort().map((name) => ({ name, bytes: Deno.readFileSync(new URL(name, url)) }));
}

function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`answered wrongly: ${what}`);
}

/** An `.npy` file of which the header's text is damaged and its length put right. */
function npyHeader({ name, bytes }: Seed): Seed {
  const end = 10 + bytes[8] + 256 * bytes[9];
  const wrap = (text: Uint8Array) => {
    const prefix = bytes.slice(0, 10);
    new DataView(prefix.buffer).setUint16(8, Math.min(text.length, 0xffff), true);
    return joined(prefix, text, bytes.subarray(end));
  };
  return { name: `header of ${name}`, bytes: bytes.subarray(10, end), wrap };
}

function npy(): FuzzReader {
  const files = fixtures("npy", /\.npy$/);
  const first = files.filter(({ bytes }) => bytes[6] === 1);
  return {
    name: "npy",
    seeds: [...files, ...first.map(npyHeader)],
    refuses: DataError,
    read(bytes) {
      const { data, shape } = decodeNpy(bytes, "a.npy");
      promise(elementCount(shape) === data.length, `[${shape}] with ${data.length} values`);
    },
    readFile: readNpy,
    extension: ".npy",
  };
}

function exam(): FuzzReader {
  const count = 2 * 64 * 64;
  const arrays = [
    Uint8Array.from({ length: count }, (_, i) => i),
    Int8Array.from({ length: count }, (_, i) => i),
    Float32Array.from({ length: count }, (_, i) => i / 7),
  ];
  const files = arrays.map((data): Seed => ({
    name: `exam of ${data.constructor.name}`,
    bytes: encodeNpy(data, [2, 64, 64]),
  }));
  return {
    name: "exam",
    seeds: [...files, ...files.map(npyHeader)],
    refuses: DataError,
    read(bytes) {
      const { slices, height, width, voxels } = examFromNpy(decodeNpy(bytes, "a"), "a", "a");
      promise(voxels.length === slices * height * width, "another number of voxels");
      promise(voxels.every((value) => Number.isFinite(value)), "a voxel that is not finite");
    },
    readFile: (path) => readExam(path, "0001"),
    extension: ".npy",
  };
}

function labels(): FuzzReader {
  const texts = [
    "0000,0\n0001,1\n1129,1\n",
    '\ufeff"1","1"\r\n"0002",0\r\nknee-3_L,1\r',
    Array.from({ length: 200 }, (_, id) => `${id},${id % 2}`).join("\n"),
    "../0001,1\n/etc/passwd,0\nCON,1\n",
  ];
  return {
    name: "labels",
    seeds: texts.map((text, index) => ({ name: `labels ${index}`, bytes: encoder.encode(text) })),
    refuses: DataError,
    read(bytes) {
      const rows = decodeLabels(bytes, "a.csv");
      promise(rows.length > 0, "no labels");
      promise(new Set(rows.map(({ id }) => id)).size === rows.length, "an id twice");
      for (const { id, label } of rows) {
        promise(/^[\w-]{1,64}$/.test(id) && (label === 0 || label === 1), `'${id}', ${label}`);
      }
      const again = decodeLabels(encoder.encode(formatLabels(rows)), "a.csv");
      promise(JSON.stringify(again) === JSON.stringify(rows), "what is not read back");
    },
    limit: MAX_LABEL_BYTES,
    readFile: readLabels,
    extension: ".csv",
  };
}

function ids(): FuzzReader {
  const texts = ["0012", "knee-3_L", "../../etc/passwd", "C:\\x", "con", "a\0b", "..", "é", "Ⅷ"];
  return {
    name: "ids",
    seeds: texts.map((text) => ({ name: `'${text}'`, bytes: encoder.encode(text) })),
    refuses: DataError,
    read(bytes) {
      const id = examId(new TextDecoder().decode(bytes));
      const file = examFile("data", "train", "axial", id);
      const { pathname } = new URL(file, "file:///home/");
      promise(pathname === `/home/data/train/axial/${id}.npy`, `'${id}' leads to ${pathname}`);
    },
  };
}

/** What every reader of weights promises. */
function checkWeights({ tensors, skipped }: Weights): void {
  for (const [name, { shape, data }] of tensors) {
    promise(elementCount(shape) === data.length, `'${name}' is [${shape}]`);
    promise(!skipped.has(name), `'${name}' is there and left out`);
  }
}

const readPytorch = (bytes: Uint8Array) => checkWeights(decodePytorch(bytes, "a"));

/** The files inside an archive. */
function unzipped(bytes: Uint8Array): Map<string, Uint8Array> {
  const source = bytesSource(bytes, "a");
  const directory = readZip(source);
  const files = [...directory.entries].map(([name, entry]) =>
    [name, readZipEntry(source, directory, entry)] as const
  );
  return new Map(files);
}

/** An archive of which the pickle is damaged behind a good checksum. */
function pickleOf({ name, bytes }: Seed): Seed {
  const files = unzipped(bytes);
  const key = [...files.keys()].find((key) => key.endsWith("/data.pkl"))!;
  const wrap = (pickle: Uint8Array) => joined(...encodeZip(new Map([...files, [key, pickle]])));
  return { name: `pickle of ${name}`, bytes: files.get(key)!, wrap };
}

/** An archive of which the directory is damaged, before an end record that fits it. */
function directoryOf({ name, bytes }: Seed): Seed {
  const plain = joined(...encodeZip(unzipped(bytes)));
  const { start } = readZip(bytesSource(plain, "a"));
  const wrap = (directory: Uint8Array) => {
    const end = new DataView(plain.slice(-22).buffer);
    let records = 0;
    for (let at = 0; at + 4 <= directory.length; at++) {
      if (directory[at] === 0x50 && directory[at + 1] === 0x4b && directory[at + 2] === 1) {
        records++;
      }
    }
    for (const field of [8, 10]) end.setUint16(field, Math.min(records, 0xffff), true);
    end.setUint32(12, directory.length, true);
    return joined(plain.subarray(0, start), directory, new Uint8Array(end.buffer));
  };
  return { name: `directory of ${name}`, bytes: plain.slice(start, -22), wrap };
}

const isZip = ({ bytes }: Seed) => bytes[0] === 0x50 && bytes[1] === 0x4b;

function pytorchZip(): FuzzReader {
  const files = fixtures("weights", /\.pth?$/).filter(isZip);
  return {
    name: "zip",
    // A TorchScript program is compressed, so nothing can be put around its directory.
    seeds: [...files, ...files.filter(({ name }) => name.endsWith(".pth")).map(directoryOf)],
    refuses: WeightsError,
    read: readPytorch,
    readFile: readWeights,
    extension: ".pth",
  };
}

function pickle(): FuzzReader {
  const files = fixtures("weights", /\.pth$/).filter(isZip);
  return {
    name: "pickle",
    seeds: files.map(pickleOf),
    refuses: WeightsError,
    read: readPytorch,
    readFile: readWeights,
    extension: ".pth",
  };
}

function pytorchLegacy(): FuzzReader {
  return {
    name: "legacy",
    seeds: fixtures("weights", /\.(pth|pkl)$/).filter((seed) => !isZip(seed)),
    refuses: WeightsError,
    read: readPytorch,
    readFile: readWeights,
    extension: ".pth",
  };
}

function safetensors(): FuzzReader {
  const state = new Map([
    ["features.0.weight", { shape: [2, 3, 1, 1], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["features.0.bias", { shape: [2], data: Float32Array.of(7, 8) }],
    ["steps", { shape: [], data: Float32Array.of(9) }],
  ]);
  const card = { task: "acl", plane: "axial", tune: '{"fraction":0.1,"seed":7}' };
  const ours = joined(...encodeSafetensors(state, card));
  const wrap = (text: Uint8Array) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    return joined(length, text, ours.subarray(-36));
  };
  const types = '{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},' +
    '"b":{"dtype":"BF16","shape":[2,2],"data_offsets":[8,16]},' +
    '"c":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},' +
    '"d":{"dtype":"I64","shape":[1],"data_offsets":[24,32]},' +
    '"e":{"dtype":"BOOL","shape":[4,1],"data_offsets":[32,36]}}';
  const header = ours.subarray(8, -36);
  return {
    name: "safetensors",
    seeds: [
      { name: "a file of ours", bytes: ours },
      { name: "many types", bytes: wrap(encoder.encode(types)) },
      { name: "header of a file of ours", bytes: header, wrap },
      { name: "header with many types", bytes: encoder.encode(types), wrap },
    ],
    refuses: WeightsError,
    read(bytes) {
      const weights = decodeSafetensors(bytes, "a");
      checkWeights(weights);
      readCardOf(weights.metadata);
    },
    limit: MAX_HEADER_BYTES,
    readFile: async (path) => readCardOf((await readWeights(path)).metadata),
    extension: ".safetensors",
  };
}

function readCardOf(metadata: Record<string, string>): void {
  const { operatingPoint, tune } = readCard(metadata, "a");
  promise((operatingPoint?.threshold ?? 0) <= 1, "a threshold above 1");
  promise(typeof (tune?.fraction ?? 0.1) === "number", "a fraction that is no number");
}

const LANDMARKS: Landmarks = {
  percentiles: LANDMARK_PERCENTILES,
  values: LANDMARK_PERCENTILES.map((percent) => 2.5 * percent),
  ...{ type: "uint8", exams: 256 },
};

/** The keys that a card is made of. */
const CARD = ["task", "plane", "intensity", "operating_point", "tune", "landmarks"];

function card(): FuzzReader {
  const values = [
    [
      "acl",
      "axial",
      "raw",
      '{"threshold":0.25,"rule":"youden","exams":"tune"}',
      '{"fraction":0.1}',
    ],
    ["meniscus", "coronal", "standardized", "null", '{"fraction":0.2,"seed":4294967295}'],
    ["abnormal", "coronal", "standardized"],
    [
      ...["acl", "sagittal", "landmarks", '{"threshold":1,"rule":"youden","exams":"valid"}'],
      ...['{"fraction":0.5,"seed":0}', JSON.stringify(LANDMARKS)],
    ],
  ];
  return {
    name: "card",
    // A value a line stands for the metadata, whose form safetensors has checked before.
    seeds: values.map((lines, index) => ({
      name: `card ${index}`,
      bytes: encoder.encode(lines.join("\x1e")),
    })),
    refuses: WeightsError,
    read(bytes) {
      const texts = new TextDecoder().decode(bytes).split("\x1e");
      readCardOf(Object.fromEntries(texts.map((text, index) => [CARD[index] ?? "more", text])));
    },
    limit: MAX_HEADER_BYTES,
  };
}

async function events(): Promise<FuzzReader> {
  const folder = await Deno.makeTempDir({ prefix: "mrnet-fuzz-" });
  const writer = await EventWriter.create(folder);
  for (let step = 0; step < 3; step++) writer.scalar("Train/Loss", 1 / (step + 1), step, 1.5e9);
  await writer.close();
  const whole = Deno.readFileSync(writer.path);
  await Deno.remove(folder, { recursive: true });
  const records = [...decodeRecords(whole, "a")];
  return {
    name: "events",
    seeds: [
      { name: "an event file", bytes: whole },
      ...records.map((bytes, index): Seed => ({
        name: `record ${index}`,
        bytes,
        wrap: (bytes) => encodeRecord(bytes),
      })),
    ],
    refuses: DataError,
    read(bytes) {
      for (const { step, scalars } of readEvents(bytes, "a")) {
        promise(Number.isInteger(step), `the step ${step}`);
        promise(scalars.every(({ value }) => typeof value === "number"), "no number");
      }
    },
    limit: 4 * 1024 * 1024,
    readFile: async (path) => readEvents(await Deno.readFile(path), path),
    extension: ".tfevents",
  };
}

/** The settings of a run, by the names of the command line. */
export const RUN_SETTINGS = {
  ...{ task: "acl", plane: "axial", prefix_name: "mrnet", recipe: "reference", intensity: "raw" },
  ...{ loss_weights: "output", epochs: 50, lr: 1e-5, lr_scheduler: "plateau", gamma: 0.5 },
  ...{ patience: 5, plateau_patience: 3, plateau_factor: 0.3, weight_decay: 0.1, augment: true },
  ...{ rotation: 25, shift: 0.11, flip: 0.5, shuffle: true, seed: 7, tune: 0.1, tune_seed: 0 },
  ...{ data: "data", models: "models", logs: "logs", weights: "imagenet", save_model: true },
};

function checkSettings(settings: RunSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    promise(["string", "number", "boolean"].includes(typeof value), `'${name}' is no scalar`);
    const isOptional = ["skip_bad_exams", "any_range", "card"].includes(name);
    promise(isOptional || name in RUN_SETTINGS, `'${name}' is no setting`);
  }
}

function runConfig(): FuzzReader {
  const adapter = { vendor: "v", device: "d", architecture: "", description: "Mesa" };
  const start = { engine: "webgpu on d", adapter, started: "2026-01-02T03:04:05.000Z" };
  const begun = { ...RUN_SETTINGS, ...start };
  const goneOn = {
    ...begun,
    shift: "25px",
    skip_bad_exams: true,
    any_range: true,
    resumed: [{ epoch: 2, ...start }],
  };
  return {
    name: "config",
    seeds: [begun, goneOn].map((each, at) => ({
      name: `config ${at}`,
      bytes: encoder.encode(JSON.stringify(each, null, 2)),
    })),
    refuses: WeightsError,
    read(bytes) {
      const { settings, resumed } = parseRunConfig(new TextDecoder().decode(bytes), "config.json");
      checkSettings(settings);
      promise(resumed.every(({ epoch }) => Number.isSafeInteger(epoch)), "an epoch that is none");
    },
  };
}

/** What a run's state says beside its tensors. */
const SAID = [true, false].map((whole) => {
  const said = {
    run: "0f8fad5b-d9cb-469f-a165-70867728950e",
    folder: "logs/acl/axial/20260102-030405",
    config: RUN_SETTINGS,
    labels: { train: "ab12", valid: "cd34" },
    landmarks: whole ? LANDMARKS : undefined,
    computed: { engine: "wasm", threads: 2, precision: "float32" },
    checkpoint: "model_mrnet_acl_axial_val_auc_0.5000_train_auc_0.5000_epoch_1.safetensors",
    events: { name: "events.out.tfevents.1700000000.mrnet", size: 4096 },
    steps: 3,
    epochs: [[0.5, 0.5, 0.25, "NaN", "Infinity", 1e-5, 12.5, true]],
    train: [[0.6931, 0.125, -0.125], null, [0.5, 1e-300, 7]],
    valid: [],
    seconds: 3.25,
    skipped: [{ split: "train", id: "0007", reason: "Cannot read it" }],
  };
  return JSON.stringify(
    whole ? said : { ...said, epochs: [], train: [], checkpoint: undefined, steps: 0 },
  );
});

function checkProgress({ train, valid }: TrainProgress): void {
  const passed = [...train, ...valid].flatMap((each) => each ?? []);
  promise(passed.every(Number.isFinite), "metrics that are not finite");
}

function state(): FuzzReader {
  return {
    name: "state",
    seeds: SAID.map((text, at) => ({ name: `state ${at}`, bytes: encoder.encode(text) })),
    refuses: WeightsError,
    read(bytes) {
      const said = decodeRunStateHeader(new TextDecoder().decode(bytes), "state");
      const { config, progress, steps } = said;
      checkSettings(config);
      for (const { id, reason } of progress.skipped) {
        promise(!/\p{Cc}/u.test(id + reason) && reason.length <= 500, "what commands a terminal");
      }
      promise(Number.isSafeInteger(steps) && steps >= 0, `${steps} steps`);
      checkProgress(progress);
    },
    limit: MAX_HEADER_BYTES,
  };
}

/** Whole files of states: the header is damaged, or what it says; the tensors, 30 MB of zeros, are not. */
function stateFile(): FuzzReader {
  let behind = 0;
  const tensors = ["", "adam.first.", "adam.second."].flatMap((begin) =>
    MRNET_PARAMETERS.map(({ name, shape }) => {
      const from = behind;
      behind += 4 * elementCount(shape)!;
      return [begin + name, { dtype: "F32", shape, data_offsets: [from, behind] }] as const;
    })
  );
  const header = (state: string) => {
    const metadata = { format: "mrnet-run", version: "1", state };
    return encoder.encode(
      JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(tensors) }),
    );
  };
  const wrap = (text: Uint8Array) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    return joined(length, text);
  };
  const seeds = SAID.flatMap((text, at): Seed[] => [
    { name: `header of state ${at}`, bytes: header(text), wrap },
    {
      name: `state ${at}`,
      bytes: encoder.encode(text),
      wrap: (bytes) => wrap(header(new TextDecoder().decode(bytes))),
    },
  ]);
  return {
    name: "state-file",
    seeds,
    refuses: WeightsError,
    read(bytes) {
      const { parameters, progress } = readRunStateFrom(zerosBehind(bytes, behind));
      promise(parameters.size === MRNET_PARAMETERS.length, `${parameters.size} parameters`);
      checkProgress(progress);
    },
    limit: MAX_HEADER_BYTES,
    behind,
    readFile: readRunState,
    extension: ".safetensors",
  };
}

/**
 * Tensors of MRNets of every lineage, a line each: whatever a file's names and shapes are, it is said
 * which network they make.
 */
function network(): FuzzReader {
  const lineages: [trunk: string, head: string, outputs: number][] = [
    ["pretrained_model.features", "classifer", 2],
    ["module.pretrained_model._orig_mod.features", "module.classifer", 1],
    ["model.features", "classifier", 1],
    ["alexnet", "fc", 1],
  ];
  const seeds = lineages.map(([trunk, head, outputs]): Seed => {
    const parent = trunk.replace(/\.?features$/, "");
    const lines = MRNET_PARAMETERS.map(({ name, shape }) => {
      const renamed = name.replace("pretrained_model.features", trunk).replace("classifer", head);
      const sizes = name.startsWith("classifer") ? [outputs, ...shape.slice(1)] : shape;
      return `${renamed} F32 ${sizes}`;
    });
    const aside = ["criterion.pos_weight F32 1", "n_averaged I64 "];
    if (parent !== trunk) {
      for (const layer of [1, 4, 6]) aside.push(`${parent}.classifier.${layer}.weight F32 10,9216`);
    }
    return { name: trunk, bytes: encoder.encode([...lines, ...aside].join("\n")) };
  });
  return {
    name: "network",
    seeds,
    refuses: WeightsError,
    read(bytes) {
      const tensors = new Map(
        new TextDecoder().decode(bytes).split("\n").map((line) => {
          const [name, type = "F32", sizes = ""] = line.split(" ");
          const shape = sizes === "" ? [] : sizes.split(",").map((size) => Number(size) || 0);
          return [name, { type, shape }];
        }),
      );
      const { keys } = locateMRNet(tensors, "a");
      promise(new Set(keys.values()).size === MRNET_PARAMETERS.length, "a tensor twice");
      for (const { name, shape } of MRNET_PARAMETERS) {
        const found = tensors.get(keys.get(name)!)!;
        const single = name.startsWith("classifer.") && found.shape[0] === 1;
        const expected = String(single ? [1, ...shape.slice(1)] : shape);
        promise(String(found.shape) === expected, `${name} is [${found.shape}]`);
        promise(isFloatType(found.type), `${name} is ${found.type}`);
      }
    },
    limit: MAX_HEADER_BYTES,
  };
}

/** A file of these bytes and so many zeros after them. */
function zerosBehind(bytes: Uint8Array, count: number): Source {
  const start = bytesSource(bytes, "a");
  const size = bytes.length + count;
  return {
    ...start,
    size,
    read(offset, length) {
      if (offset + length <= bytes.length) return start.read(offset, length);
      const range = new Uint8Array(offset + length <= size ? length : 0);
      range.set(bytes.subarray(Math.min(offset, bytes.length)));
      return range;
    },
  };
}

function predictions(): FuzzReader {
  const texts = [
    "label,axial,coronal,sagittal\n1,0.9,0.5,0.8\n0,.2,1,3e-1\n",
    '\ufeff"sagittal",exam,LABEL,coronal,axial\r\n0.9,0012,1,1.0,0.8\r\n0.1,0013,0,0,5e-2\r',
    "label,axial,coronal,sagittal\n" + "1,0.9,0.5,0.8\n0,0.1,0.25,0\n".repeat(100),
  ];
  return {
    name: "predictions",
    seeds: texts.map((text, index) => ({ name: `table ${index}`, bytes: encoder.encode(text) })),
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
    seeds: [fitted, whole].map((each, index) => ({
      name: `combination ${index}`,
      bytes: encoder.encode(formatCombination(each)),
    })),
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
    seeds: states.map((each, index) => ({
      name: `run_all ${index}`,
      bytes: encoder.encode(formatState(each)),
    })),
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
    seeds: [
      text({}),
      text({ [sha256]: [0.25, -1.0986], [`${sha256}+${sha256}+${sha256}`]: [1, 40] }),
    ].map((each, index) => ({ name: `verdicts ${index}`, bytes: encoder.encode(each) })),
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

/** All readers, by name. */
export async function fuzzReaders(): Promise<Map<string, FuzzReader>> {
  const all = [
    ...[npy(), exam(), labels(), ids(), pytorchZip(), pytorchLegacy(), pickle()],
    ...[safetensors(), network(), card(), runConfig(), state(), stateFile(), await events()],
    ...[predictions(), combination()],
    ...[runAllState(), keptVerdicts()],
    ...imagingReaders(),
    ...cardReaders(),
    ...classifierReaders(),
    ...planReaders(),
    ...pacsReaders(),
  ];
  return new Map(all.map((reader) => [reader.name, reader]));
}
