/**
 * How long files from a scanner take: an exam of 24 slices of 256×256, as they are and with pixels that
 * must be resampled, and looking at a study of 500 files. `deno run -A bench/imaging.ts`.
 */
import { FrameDecoder } from "../lib/imaging/dicom/decoder.ts";
import { ImagingFiles } from "../lib/imaging/files.ts";
import { findSeries } from "../lib/imaging/found.ts";
import { inspectPaths } from "../lib/imaging/inspect.ts";
import { examOfSeries } from "../lib/imaging/volume.ts";
import { dicomSlice } from "../tests/support/dicom.ts";
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

async function examMs(side: number): Promise<number> {
  const given = named(slices(24, side));
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
    `24 slices of ${side}×${side}, uncompressed, to an exam: ${(await examMs(side)).toFixed(0)} ms`,
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
