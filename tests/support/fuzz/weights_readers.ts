/** The readers of weights in every form, and of the card that lies beside them. */
import { LANDMARK_PERCENTILES, type Landmarks } from "../../../lib/data/landmarks.ts";
import { WeightsError } from "../../../lib/errors.ts";
import { readCard } from "../../../lib/model/card_metadata.ts";
import { isFloatType } from "../../../lib/model/weights/floats.ts";
import { locateMRNet, MRNET_PARAMETERS } from "../../../lib/model/weights/mrnet.ts";
import { encodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import { MAX_HEADER_BYTES } from "../../../lib/model/weights/safetensors_header.ts";
import { bytesSource } from "../../../lib/model/weights/source.ts";
import { elementCount, type Weights } from "../../../lib/model/weights/tensors.ts";
import { encodeZip, readZip, readZipEntry } from "../../../lib/zip.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { joined } from "./mutate.ts";
import { decodePytorch, decodeSafetensors, readWeights } from "../weights.ts";
import { encoder, fixtures, promise } from "./seeds.ts";

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

/** Those of a card, and of a run. */
export const LANDMARKS: Landmarks = {
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

/** These readers. */
export function weightsReaders(): FuzzReader[] {
  return [pytorchZip(), pytorchLegacy(), pickle(), safetensors(), network(), card()];
}
