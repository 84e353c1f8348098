/**
 * The readers of what scanners and others write, with small valid files to damage.
 */
import { gzipSync } from "node:zlib";
import { concat } from "../../../lib/bytes.ts";
import { DataError } from "../../../lib/errors.ts";
import { FrameDecoder } from "../../../lib/imaging/dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "../../../lib/imaging/dicom/file.ts";
import { decodeExamTable } from "../../../lib/imaging/exam_table.ts";
import { ImagingFiles } from "../../../lib/imaging/files.ts";
import { findSeries } from "../../../lib/imaging/found.ts";
import { decodeKneeMRITable } from "../../../lib/imaging/kneemri.ts";
import { decodeLabelTable } from "../../../lib/imaging/label_table.ts";
import { NO_LIMITS } from "../../../lib/imaging/limits.ts";
import { readNiftiHeader, readNiftiSlices } from "../../../lib/imaging/nifti.ts";
import { readPickledVolume } from "../../../lib/imaging/pickled_volume.ts";
import { encodeZip } from "../../../lib/zip.ts";
import { dicomSlice, encapsulated } from "../dicom.ts";
import { niftiFile } from "../nifti.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { encoder, promise, written } from "./seeds.ts";

const PICKLES = new URL("../../fixtures/pickles/", import.meta.url);
function nifti(): FuzzReader {
  const spec = {
    size: [4, 3, 2],
    values: Array.from({ length: 24 }, (_, i) => i),
    affine: [[0, 0, 4, 0], [1, 0, 0, 0], [0, 1, 0, 0]],
  };
  const files = [
    niftiFile(spec),
    niftiFile({ ...spec, version: 2, type: 16 }),
    niftiFile({ ...spec, bigEndian: true, slope: 2 }),
    niftiFile({ ...spec, size: [4, 3, 1, 2] }),
  ];
  const gzipped = new Uint8Array(gzipSync(files[0]));
  return {
    name: "nifti",
    seeds: [...files, gzipped].map((bytes, index) => ({ name: `nifti ${index}`, bytes })),
    refuses: DataError,
    async read(bytes) {
      const name = "a.nii.gz";
      const file = new Uint8Array(bytes);
      const header = await readNiftiHeader(file, name);
      const volume = header.volumes - 1;
      const slices = readNiftiSlices(file, name, header, { ...NO_LIMITS, volume });
      const size = header.rows * header.columns;
      promise(slices.length === header.slices, "another number of slices");
      promise(slices.every(({ stored }) => stored.length === size), "a ragged slice");
    },
  };
}

/** Slices in the ways that need no decoder in a worker: as they are, deflated, RLE. */
function slices(): Seed[] {
  const bytes = [
    dicomSlice(),
    dicomSlice({ syntax: "1.2.840.10008.1.2" }),
    dicomSlice({
      syntax: "1.2.840.10008.1.2.5",
      elements: {
        "0028,0100 US": [8],
        "0028,0101 US": [8],
        "0028,0102 US": [7],
        "7FE0,0010 OW": encapsulated([
          concat([new Uint8Array(Uint32Array.from([1, 64, ...Array(14).fill(0)]).buffer), [
            241,
            7,
          ]]),
        ]),
      },
    }),
  ];
  return bytes.map((bytes, index) => ({ name: `slice ${index}`, bytes }));
}

function dicom(): FuzzReader {
  return {
    name: "dicom",
    seeds: slices(),
    refuses: DataError,
    async read(bytes) {
      using decoder = new FrameDecoder();
      const header = await readDicomHeader(bytes, "a.dcm");
      const frames = await readDicomPixels(bytes, header, decoder);
      const { rows, columns } = header.layout;
      promise(frames.length === header.layout.frames, "another number of frames");
      promise(frames.every(({ length }) => length === rows * columns), "a ragged frame");
    },
  };
}

function imageArchive(): FuzzReader {
  const files = new Map(slices().map(({ bytes }, index) => [`IM${index}`, bytes]));
  return {
    name: "image-archive",
    seeds: [{ name: "archive", bytes: concat(encodeZip(files)) }],
    refuses: DataError,
    async read(bytes) {
      using found = await ImagingFiles.find([{ name: "a.zip", bytes }]);
      const { series, skipped, others } = await findSeries(found);
      const count = series.reduce((sum, { files }) => sum + files, 0) + skipped.length + others;
      promise(count <= found.files.length, "more files than there are");
    },
  };
}

function examTable(): FuzzReader {
  const facts = `0001,valid,axial,20,L,SE TR 3000 TE 80,${"a".repeat(16)},${"b".repeat(16)}`;
  const head = "id,split,plane,slices,side,sequence,study,source";
  const tables = [
    `${head},grey_values,remarks\n${facts},landmarks 0123abcd,"odd; so"\n`,
    `${head},pixel_mm,directions,positions,frame,remarks\n${facts},0.625,0 1 0 0 0 -1,` +
    `-38 -80 80.25 38 -80 80.25,${"c".repeat(16)},\n`,
    // Of an earlier version.
    `${head},remarks\n${facts},"odd; so"\n`,
  ];
  return {
    name: "exam-table",
    seeds: written("table", tables),
    refuses: DataError,
    read(bytes) {
      for (const { id, slices, geometry } of decodeExamTable(bytes, "a.csv")) {
        promise(/^[\w-]+$/.test(id), "an id");
        const { pixel = 1, directions = [], positions = [] } = geometry ?? {};
        promise(
          pixel > 0 && [...directions, ...positions].flat().every(Number.isFinite),
          "a number",
        );
        promise(
          directions.every((each) => Math.abs(Math.hypot(...each) - 1) < 1e-3),
          "a direction",
        );
        promise([0, 1, 2, slices].includes(positions.length), `${positions.length} positions`);
      }
    },
  };
}

function labelTable(): FuzzReader {
  const texts = ["id,abnormal,acl,meniscus\n1,0,1,\nx,1,1,1\n", "acl;id\n0;7\n1;8\n"];
  return {
    name: "label-table",
    seeds: written("table", texts),
    refuses: DataError,
    read(bytes) {
      promise(decodeLabelTable(bytes, "a.csv").size > 0, "no labels");
    },
  };
}

function volume(): FuzzReader {
  const names = [...Deno.readDirSync(PICKLES)].map(({ name }) => name).sort();
  return {
    name: "volume",
    seeds: names.map((name) => ({ name, bytes: Deno.readFileSync(new URL(name, PICKLES)) })),
    refuses: DataError,
    read(bytes) {
      const { slices, rows, columns } = readPickledVolume(bytes, "a.pck");
      promise(slices.length > 0, "no slices");
      promise(slices.every(({ stored }) => stored.length === rows * columns), "a ragged slice");
      promise(slices.every(({ stored }) => stored.every(Number.isFinite)), "an endless value");
    },
  };
}

function kneeMRITable(): FuzzReader {
  // The columns that are passed over may hold anything.
  const text = "examId,seriesNo,aclDiagnosis,volumeFilename\n1,8,0,1-8.pck\n2,9,2,2-9.pck\n";
  return {
    name: "kneemri",
    seeds: [{ name: "table", bytes: encoder.encode(text) }],
    refuses: DataError,
    read(bytes) {
      const table = decodeKneeMRITable(bytes, "metadata.csv");
      if (table === undefined) throw new DataError("another data set's table");
      for (const { exam, acl } of table.values()) {
        promise(exam !== "" && (acl === 0 || acl === 1), "a line without an exam");
      }
    },
  };
}

/** All of them. */
export function imagingReaders(): FuzzReader[] {
  return [nifti(), dicom(), imageArchive(), examTable(), labelTable(), volume(), kneeMRITable()];
}
