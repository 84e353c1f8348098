/** Studies that were made to cost a service much: memory, time, or both. */
import { deflateRawSync } from "node:zlib";
import { concat } from "../../lib/bytes.ts";
import { encodeZip } from "../../lib/zip.ts";
import { dicomFile, dicomSlice, encapsulated } from "./dicom.ts";
import { niftiFile } from "./nifti.ts";
import { study } from "./study.ts";

/** How many elements lie in a bomb of them; one of 64 MB has eight million. */
const ELEMENTS = 1_000_000;

/** An archive of deflated files. */
function deflatedZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  return packedZip(
    Array.from(files, ([name, bytes]) => ({
      name,
      packed: new Uint8Array(deflateRawSync(bytes)),
      length: bytes.length,
    })),
  );
}

/** An archive of what is deflated already; its directory says that each file has some length. */
function packedZip(
  files: readonly { name: string; packed: Uint8Array; length: number }[],
): Uint8Array<ArrayBuffer> {
  const archive = concat(encodeZip(new Map(files.map(({ name, packed }) => [name, packed]))));
  const view = new DataView(archive.buffer);
  let at = view.getUint32(archive.length - 6, true);
  for (const { length } of files) {
    view.setUint16(at + 10, 8, true);
    // No checksum.
    view.setUint32(at + 16, 0, true);
    view.setUint32(at + 24, length, true);
    at += 46 + view.getUint16(at + 28, true);
  }
  return archive;
}

/** A file of many elements of 8 bytes each, without value representations. */
export function elementBomb(elements = ELEMENTS): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(2 * elements);
  for (let i = 0; i < elements; i++) words[2 * i] = 9 + (i >>> 16) | (i & 0xffff) << 16;
  return concat([dicomFile({}, "1.2.840.10008.1.2"), new Uint8Array(words.buffer)]);
}

/** A file of many fragments without anything in them. */
export function fragmentBomb(): Uint8Array<ArrayBuffer> {
  const fragments = Array.from({ length: ELEMENTS }, () => new Uint8Array());
  return new Uint8Array(dicomSlice({
    elements: { "7FE0,0010 OW": encapsulated(fragments) },
    syntax: "1.2.840.10008.1.2.4.90",
  }));
}

/** As many bytes as an archive may inflate to, and more than that. */
const MOST = 128 * 1024 * 1024;
const TOO_MANY = 150_000_000;

/** So many zeros, deflated. */
const zeros = once(() => new Uint8Array(deflateRawSync(new Uint8Array(TOO_MANY))));

const one = (name: string, bytes: Uint8Array) => new Map([[name, bytes]]);

/** Hostile bodies by name, each made once, and the status that each must get. */
export const HOSTILE_STUDIES: Readonly<
  Record<string, { status: number; body(): Uint8Array<ArrayBuffer> }>
> = {
  "a zip bomb": {
    status: 422,
    body: once(() => packedZip([{ name: "a.dcm", packed: zeros(), length: TOO_MANY }])),
  },
  "a zip bomb just within the limit": {
    status: 422,
    body: once(() => deflatedZip(one("a.dcm", new Uint8Array(MOST)))),
  },
  "a zip bomb that says it is small": {
    status: 422,
    body: once(() => packedZip([{ name: "a.dcm", packed: zeros(), length: 1000 }])),
  },
  "an archive of many files": {
    status: 422,
    body: once(() =>
      concat(encodeZip(
        new Map(
          Array.from({ length: 20_000 }, (_, i) => [`${i}`, new Uint8Array(1)]),
        ),
      ))
    ),
  },
  "an archive that is cut off": {
    status: 422,
    body: once(() => concat(encodeZip(study(1))).slice(0, -100)),
  },
  "many elements": { status: 422, body: once(() => deflatedZip(one("a.dcm", elementBomb()))) },
  "many fragments": { status: 422, body: once(() => deflatedZip(one("a.dcm", fragmentBomb()))) },
  "a deflated DICOM file": {
    status: 422,
    body: once(() => concat([dicomFile({}, "1.2.840.10008.1.2.1.99"), zeros()])),
  },
  "many frames that are not there": {
    status: 422,
    body: once(() =>
      deflatedZip(
        new Map(
          Array.from({ length: 2000 }, (_, i) => [
            `${i}`,
            dicomSlice({ elements: { "0028,0008 IS": "9999", "0020,000E UI": `2.25.${i}` } }),
          ]),
        ),
      )
    ),
  },
  "slices that are too wide": {
    status: 422,
    body: once(() => {
      const values = new Uint16Array(2000 * 2000);
      const slice = dicomSlice({ rows: 2000, columns: 2000, values });
      return deflatedZip(new Map(Array.from({ length: 8 }, (_, i) => [`${i}`, slice])));
    }),
  },
};

/** The largest series that is read: 128 slices of real numbers, which must be sorted. */
export const largestStudy: () => Uint8Array<ArrayBuffer> = once(() => {
  const size = [362, 362, 128];
  const values = Float64Array.from({ length: 362 * 362 * 128 }, (_, i) => i % 4099 / 4);
  const affine = [[0, 0, 4, 0], [1, 0, 0, 0], [0, 1, 0, 0]];
  return deflatedZip(one("knee.nii", niftiFile({ size, values, affine, type: 64 })));
});

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
