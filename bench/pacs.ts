/**
 * How long a study in a real PACS takes, from asking for it to its stored answer: three series of 24
 * slices of 256×256 in an Orthanc on this machine's loopback, read by a warm combination of three models.
 * Beside it what the engine takes of that, predicting and explaining the same exams. It needs Debian's
 * orthanc and orthanc-dicomweb, and root. `deno task bench:pacs`.
 */
import { Studies } from "../lib/imaging/studies.ts";
import { fetchStudyFiles } from "../lib/pacs/fetch_study.ts";
import { openPacs } from "../lib/pacs/open.ts";
import { readStudy } from "../lib/pacs/read_study.ts";
import { describeEngine, type Exam, loadClassifier, type Plane, startEngine } from "../mod.ts";
import { dicomSlice } from "../tests/support/dicom.ts";
import { TemporaryFolder } from "../tests/support/folders.ts";
import {
  denoInNamespace,
  isInside,
  Orthanc,
  ORTHANC_CREDENTIALS,
} from "../tests/support/orthanc.ts";
import { writeCombinedModels } from "../tests/support/served_models.ts";
import { DIRECTIONS } from "../tests/support/study.ts";

const [SLICES, SIDE, RUNS] = [24, 256, 5];
const STUDY = "2.25.7";

/** The files of a study with a knee's shades. */
function files(): Uint8Array[] {
  return Object.entries(DIRECTIONS).flatMap(([plane, direction], at) =>
    Array.from({ length: SLICES }, (_, slice) => {
      const position = [0, 0, 0].with(at, 4 * slice);
      return dicomSlice({
        ...{ rows: SIDE, columns: SIDE },
        values: Uint16Array.from({ length: SIDE ** 2 }, (_, i) => {
          const [x, y] = [(i % SIDE) / SIDE, Math.floor(i / SIDE) / SIDE];
          return 1500 + 1200 * Math.sin(9 * x + slice) * Math.cos(7 * y) + (i * 37) % 61;
        }),
        elements: {
          ...{ "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4", "0008,103E LO": `${plane} knee` },
          ...{ "0020,000D UI": STUDY, "0020,000E UI": `${STUDY}.${at + 1}` },
          ...{ "0020,0032 DS": position.join("\\"), "0020,0037 DS": direction },
        },
      });
    })
  );
}

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1];

/** The median of some runs, in seconds. */
async function seconds(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const begin = performance.now();
    await run();
    times.push((performance.now() - begin) / 1000);
  }
  return median(times);
}

async function measure(): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  await using orthanc = await Orthanc.start();
  const web = openPacs({ url: orthanc.url, credentials: ORTHANC_CREDENTIALS });
  await web.store(STUDY, files());
  print(`Engine: ${describeEngine(await startEngine("wasm", { threads: 2 }))}`);
  using classifier = await loadClassifier(folder.at("combined.json"));
  const read = () => readStudy(STUDY, { web, classifiers: [classifier], store: true });
  await read();
  const whole = await seconds(read);
  const fetched = await fetchStudyFiles(web, STUDY);
  const fetching = await seconds(() => fetchStudyFiles(web, STUDY));
  using studies = await Studies.open(fetched);
  const exams: Partial<Record<Plane, Exam>> = {};
  for (const plane of classifier.planes) {
    exams[plane] = await studies.studies[0].exams[plane]!.read();
  }
  const engine = await seconds(() => classifier.explain(exams));
  const shown = (time: number) => `${time.toFixed(2)} s`;
  print(`Study of ${3 * SLICES} slices to stored answer: ${shown(whole)}`);
  print(`  of that the engine: ${shown(engine)}, the rest: ${shown(whole - engine)}`);
  print(`  of the rest finding and fetching: ${shown(fetching)}`);
}

if (isInside) await measure();
else {
  const path = new URL(import.meta.url).pathname;
  const command = denoInNamespace(["run", "-A", "--quiet", "--lock=deno.dev.lock", path]);
  const { code, stdout, stderr } = await command.output();
  await Deno.stdout.write(stdout);
  await Deno.stderr.write(stderr);
  Deno.exit(code);
}
