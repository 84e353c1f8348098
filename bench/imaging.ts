/**
 * How long files from a scanner take: an exam of 24 slices of 256×256, as they are, with pixels that must
 * be resampled, and in JPEG 2000, and looking at a study of 500 files. `deno run -A bench/imaging.ts`.
 */
import { FrameDecoder } from "../lib/imaging/dicom/decoder.ts";
import { ImagingFiles } from "../lib/imaging/files.ts";
import { findSeries } from "../lib/imaging/found.ts";
import { inspectPaths } from "../lib/imaging/inspect.ts";
import { examOfSeries } from "../lib/imaging/volume.ts";
import { createRandom } from "../lib/random.ts";
import { dicomSlice, encapsulated } from "../tests/support/dicom.ts";
import { bestOf } from "./best_of.ts";

/** Slices of a sagittal series. */
function slices(count: number, side: number, series = 1): Uint8Array[] {
  return Array.from({ length: count }, (_, slice) =>
    dicomSlice({
      rows: side,
      columns: side,
      values: Uint16Array.from({ length: side ** 2 }, (_, i) => (i * 37 + slice * 11) % 1023),
      elements: { "0020,000E UI": `2.25.${series}`, "0020,0032 DS": `${4 * slice}\\0\\0` },
    }));
}

const named = (files: Uint8Array[]) =>
  files.map((bytes, index) => ({ name: `IM${index}.dcm`, bytes }));

/** 24 slices of 256×256 with 12 bits in JPEG 2000, lossless: a knee's shades with a scanner's noise. */
async function jpeg2000Slices(): Promise<Uint8Array[]> {
  const { default: make } = await import("npm:@cornerstonejs/codec-openjpeg@1.3.6");
  const { J2KEncoder } = await make({ print() {}, printErr() {} });
  const random = createRandom(1, "noise");
  return Array.from({ length: 24 }, (_, slice) => {
    const encoder = new J2KEncoder();
    const values = Uint16Array.from({ length: 256 * 256 }, (_, i) => {
      const [x, y] = [(i % 256) / 256, Math.floor(i / 256) / 256];
      return 1500 + 1200 * Math.sin(9 * x + slice) * Math.cos(7 * y) + random.uniform(-60, 60);
    });
    const frame = {
      width: 256,
      height: 256,
      bitsPerSample: 12,
      componentCount: 1,
      isSigned: false,
    };
    encoder.getDecodedBuffer(frame).set(new Uint8Array(values.buffer));
    encoder.encode();
    const stream = encoder.getEncodedBuffer().slice();
    return dicomSlice({
      ...{ rows: 256, columns: 256, syntax: "1.2.840.10008.1.2.4.90" },
      elements: {
        ...{ "0020,0032 DS": `${4 * slice}\\0\\0`, "0028,0101 US": [12], "0028,0102 US": [11] },
        "7FE0,0010 OW": encapsulated([stream]),
      },
    });
  });
}

async function examMs(files: Uint8Array[]): Promise<number> {
  const given = named(files);
  using decoder = new FrameDecoder();
  return 1000 * await bestOf(5, async () => {
    using files = await ImagingFiles.find(given);
    const { series: [series] } = await findSeries(files);
    await examOfSeries(series, decoder);
  });
}

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
for (const side of [256, 320, 512]) {
  print(
    `24 slices of ${side}×${side}, uncompressed, to an exam: ` +
      `${(await examMs(slices(24, side))).toFixed(0)} ms`,
  );
}
const folder = await Deno.makeTempDir();
try {
  for (let series = 0; series < 20; series++) {
    for (const [index, bytes] of slices(25, 256, series).entries()) {
      await Deno.writeFile(`${folder}/IM${series}_${index}`, bytes);
    }
  }
  const seconds = await bestOf(3, () => inspectPaths([folder]));
  const status = Deno.readTextFileSync("/proc/self/status");
  const peak = Number(/VmHWM:\s*(\d+)/.exec(status)![1]) / 1024;
  print(
    `500 files of 20 series inspected: ${seconds.toFixed(2)} s; peak of the process ${
      peak.toFixed(0)
    } MB`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}
// Last, for its encoder and decoder take memory that the study above does not.
print(
  `24 slices of 256×256, JPEG 2000, to an exam: ${
    (await examMs(await jpeg2000Slices())).toFixed(0)
  } ms`,
);
