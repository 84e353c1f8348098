/** The readers of exams and labels, with small valid files to damage. */
import { examFromNpy, readExam } from "../../../lib/data/exam.ts";
import {
  decodeLabels,
  examFile,
  examId,
  formatLabels,
  MAX_LABEL_BYTES,
  readLabels,
} from "../../../lib/data/labels.ts";
import { decodeNpy, encodeNpy, readNpy } from "../../../lib/data/npy.ts";
import { DataError } from "../../../lib/errors.ts";
import { elementCount } from "../../../lib/model/weights/tensors.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { joined } from "./mutate.ts";
import { encoder, fixtures, promise, written } from "./seeds.ts";

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
    seeds: written("labels", texts),
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

/** These readers. */
export function dataReaders(): FuzzReader[] {
  return [npy(), exam(), labels(), ids()];
}
