/** Studies from a scanner that are sent to the service. */
import assert from "node:assert/strict";
import { concat } from "../../lib/bytes.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import type { ServeOptions } from "../../lib/serve/options.ts";
import { engineTurns, studyTurns } from "../../lib/serve/queue.ts";
import { type Candidate, PredictAnswer } from "../../lib/serve/schemas.ts";
import { PLANES } from "../../lib/terms.ts";
import { encodeZip } from "../../lib/zip.ts";
import { runCli } from "../support/cli.ts";
import { dicomSlice, encapsulated } from "../support/dicom.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { niftiFile } from "../support/nifti.ts";
import { writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";
import { assertWithin } from "../support/time.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

type Files = ReadonlyMap<string, Uint8Array>;

const zip = (files: Files) => concat(encodeZip(files));

/** The study with a second axial series. */
function ambiguous(): Map<string, Uint8Array> {
  const files = study(1);
  for (const [name, bytes] of study(1, { "0020,000E UI": "2.25.99", "0008,103E LO": "again*" })) {
    if (name.startsWith("axial")) files.set(`more/${name}`, bytes);
  }
  return files;
}

/** A service of three models and their combination; each test has its own. */
async function withService(
  options: Partial<ServeOptions>,
  body: (handler: Handler, folder: TemporaryFolder) => Promise<void>,
): Promise<void> {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  const models = [...PLANES.map((plane) => `${plane}.safetensors`), "combined.json"];
  await body(
    createHandler({
      engine: "wasm",
      models: models.map((name) => folder.at(name)),
      viewer: true,
      ...options,
    }),
    folder,
  );
}

async function send(
  handler: Handler,
  body: BodyInit,
  { type, path = "v1/predict" }: { type?: string; path?: string } = {},
): Promise<Response> {
  const headers: HeadersInit = type === undefined ? {} : { "content-type": type };
  return await handler(new Request(`http://localhost/${path}`, { method: "POST", body, headers }));
}

async function answered(response: Response): Promise<PredictAnswer> {
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return PredictAnswer.parse(answer);
}

async function refused(response: Response, status: number, detail: RegExp) {
  const problem = await response.json();
  assert.match(problem.detail, detail);
  assert.equal(response.status, status);
  return problem as { candidates?: Candidate[] };
}

function form(files: Files, field = "study"): FormData {
  const form = new FormData();
  for (const [name, bytes] of files) {
    form.append(field, new Blob([bytes as BlobPart], { type: "application/dicom" }), name);
  }
  return form;
}

/** As DICOMweb clients store a study. */
function related(files: Files): { body: Uint8Array<ArrayBuffer>; type: string } {
  const text = (written: string) => new TextEncoder().encode(written);
  const parts = [...files.values()].flatMap((bytes) => [
    text("--b\r\nContent-Type: application/dicom\r\n\r\n"),
    bytes,
    text("\r\n"),
  ]);
  return {
    body: concat([...parts, text("--b--\r\n")]),
    type: 'multipart/related; type="application/dicom"; boundary=b',
  };
}

Deno.test(
  "a study gets the answer that predict gives, in whatever way it is sent",
  OUTLIVING,
  () =>
    withService({}, async (handler, folder) => {
      const files = study(1);
      for (const [name, bytes] of files) await folder.write(`first/${name}`, bytes);
      const { out, err, code } = await runCli(folder, [
        ...["predict", "--json", "--backend", "wasm", "--model", "combined.json", "first"],
      ], { permissions: ["--allow-read=.", "--allow-env=XDG_RUNTIME_DIR"] });
      assert.equal(code, 0, err);
      const expected = JSON.parse(out);
      const archive = zip(files);
      const web = related(files);
      const several = new FormData();
      for (const plane of PLANES) {
        const own = new Map([...files].filter(([name]) => name.startsWith(plane)));
        several.append("study", new Blob([zip(own)]), "series.zip");
      }
      for (
        const request of [
          () => send(handler, archive, { type: "application/zip" }),
          () => send(handler, archive, { type: "application/octet-stream" }),
          () => send(handler, form(files)),
          () => send(handler, form(files, "any")),
          () => send(handler, several),
          () => send(handler, web.body, { type: web.type }),
        ]
      ) {
        const { exams, predictions, skipped } = await answered(await request());
        assert.equal(predictions.length, 4);
        for (const said of predictions) {
          const wanted = said.kind === "combined" ? expected : expected.planes[said.plane];
          assert.equal(said.probability, wanted.probability, said.model);
        }
        assert.deepEqual(
          PLANES.map((plane) => exams[plane]!.series!.description),
          PLANES.map((plane) => `${plane} Doe scan`),
        );
        const { slices, height, width, series } = exams.axial!;
        assert.deepEqual([slices, height, width, series!.rows, series!.side], [
          18,
          256,
          256,
          64,
          "L",
        ]);
        assert.equal(skipped, undefined);
      }
      // One series alone, and a model of its plane.
      const axial = new Map([...files].filter(([name]) => name.startsWith("axial")));
      const { exams, predictions } = await answered(await send(handler, form(axial)));
      assert.deepEqual(Object.keys(exams), ["axial"]);
      assert.deepEqual(
        predictions.map(({ probability }) => probability),
        [expected.planes.axial.probability],
      );
    }),
);

Deno.test(
  "series that could all be meant are listed, and one is chosen",
  OUTLIVING,
  () =>
    withService({}, async (handler) => {
      const files = ambiguous();
      const type = "application/zip";
      const problem = await refused(
        await send(handler, zip(files), { type }),
        422,
        /^Several series could be meant, of the axial plane 'axial=axial Doe scan', 'axial=again\*': choose by/,
      );
      assert.deepEqual(
        problem.candidates!.map(({ plane, series, choice }) => [plane, series, choice]),
        [
          ["axial", "2.25.712", "axial=axial Doe scan"],
          ["axial", "2.25.99", "axial=again*"],
        ],
      );
      const query = new URLSearchParams(
        problem.candidates!.slice(1).map((each) => [
          "series",
          each.choice,
        ]),
      );
      query.append("series", "sagittal=*");
      const byQuery = await answered(
        await send(handler, zip(files), { type, path: `v1/predict?${query}` }),
      );
      assert.equal(byQuery.exams.axial!.series!.series, "2.25.99");
      const chosen = form(files);
      chosen.append("series", "axial=2.25.712");
      const byForm = await answered(await send(handler, chosen));
      assert.equal(byForm.exams.axial!.series!.series, "2.25.712");

      // Which axial series it is, is of no matter to a model of another plane.
      const path = "v1/predict?model=sagittal";
      const { exams } = await answered(await send(handler, zip(files), { type, path }));
      assert.deepEqual(Object.keys(exams), ["sagittal"]);
      await refused(
        await send(handler, zip(files), { type, path: "v1/predict?series=axial%3Dno+such" }),
        422,
        /^Several series could be meant, of the axial plane/,
      );
      await refused(
        await send(handler, zip(files), { type, path: "v1/predict?series=axial%3D" }),
        400,
        /^Cannot choose a series by 'axial='/,
      );
    }),
);

Deno.test(
  "what is no study of one patient is refused with what was found",
  OUTLIVING,
  () =>
    withService({ limits: { images: 60 } }, async (handler) => {
      const type = "application/zip";
      const two = new Map([...study(1)].slice(0, 18));
      for (const [name, bytes] of [...study(2)].slice(0, 18)) two.set(`second/${name}`, bytes);
      await refused(
        await send(handler, zip(two), { type }),
        422,
        /^The files are of 2 studies: send those of one patient's study$/,
      );
      const broken = new Map([["a.dcm", dicomSlice().subarray(0, 300)]]);
      await refused(
        await send(handler, zip(broken), { type }),
        422,
        /^There is no series that an exam can be made of: Cannot read the DICOM file 'body.a\.dcm': /,
      );
      await refused(
        await send(handler, zip(new Map([["a.txt", new Uint8Array(9)]])), { type }),
        422,
        /^There is no series that an exam can be made of$/,
      );
      await refused(
        await send(handler, new Uint8Array(100), { type: "application/dicom" }),
        422,
        /^There is no series that an exam can be made of$/,
      );
      await refused(
        await send(handler, zip(study(1)).subarray(0, 5000), { type }),
        422,
        /^Cannot read 'body': it starts as a zip archive but has no end record: /,
      );
      const mixed = form(new Map([...study(1)].slice(0, 1)));
      mixed.append("axial", new Blob([encodeNpy(new Uint8Array(4096), [1, 64, 64])]), "a.npy");
      await refused(
        await send(handler, mixed),
        400,
        /^The form has a part 'axial' beside a study: send exams or a study$/,
      );
      await refused(
        await send(handler, form(new Map([...ambiguous()].slice(0, 64)))),
        400,
        /^The form has more than 63 parts: send an exam a plane, or a study as an archive$/,
      );
      await refused(
        await send(handler, zip(ambiguous()), { type }),
        422,
        /^Cannot read 'body': it has 72 files, at most 60 are read: /,
      );
      // One file that is broken does not keep the others from being read, and is named.
      const most = study(1).set("axial/broken", dicomSlice().subarray(0, 300));
      const { skipped, exams } = await answered(await send(handler, zip(most), { type }));
      assert.equal(exams.axial!.slices, 18);
      assert.match(skipped![0], /^Cannot read the DICOM file 'body.axial.broken': /);
    }),
);

Deno.test(
  "NIfTI files of a patient belong together, whatever they are called",
  OUTLIVING,
  () =>
    withService({}, async (handler) => {
      const volume = (affine: number[][]) =>
        niftiFile({
          size: [64, 64, 20],
          values: Array.from({ length: 64 * 64 * 20 }, (_, i) => i % 97),
          affine,
        });
      const files = new Map([
        ["t2.nii", volume([[0, 0, 4, 0], [1, 0, 0, 0], [0, 1, 0, 0]])],
        ["pd.nii", volume([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 0]])],
      ]);
      const sent = new FormData();
      for (const [name, bytes] of files) sent.append("study", new Blob([bytes as BlobPart]), name);
      const { exams } = await answered(await send(handler, sent));
      assert.deepEqual([exams.sagittal!.series!.series, exams.axial!.series!.series], [
        "t2.nii",
        "pd.nii",
      ]);
      const one = await answered(
        await send(handler, files.get("t2.nii")! as BodyInit, { type: "application/octet-stream" }),
      );
      assert.deepEqual(Object.keys(one.exams), ["sagittal"]);
    }),
);

Deno.test(
  "exams are answered while a decoder hangs, which is then ended",
  OUTLIVING,
  () =>
    withService({ limits: { queue: 0 } }, async (handler) => {
      await handler.ready();
      const RealWorker = globalThis.Worker;
      const hanging = `onmessage = ({ data: { id } }) => {
      postMessage({ id, loaded: true });
      for (;;);
    };`;
      let decoders = 0;
      // Every other worker is the engine's.
      globalThis.Worker = class extends RealWorker {
        constructor(url: string | URL, options: WorkerOptions) {
          const isDecoder = `${url}`.includes("decodeFrame");
          if (isDecoder) decoders++;
          super(isDecoder ? `data:text/javascript,${encodeURIComponent(hanging)}` : url, options);
        }
      } as typeof Worker;
      try {
        const head = [0xff, 0xd8, 0xff, 0xf7, 0, 11, 16, 0, 64, 0, 64, 1, 1, 17, 0, 0xff, 0xd9];
        const files = study(1, { "7FE0,0010 OW": encapsulated([Uint8Array.from(head)]) });
        const compressed = new Map(
          [...files].map(([name, bytes]) => [name, _asJpegLs(bytes)]),
        );
        const begin = performance.now();
        const hung = send(handler, zip(compressed), { type: "application/zip" });
        while (decoders === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(studyTurns.length, 1);
        assert.equal(engineTurns.length, 0);
        const exam = encodeNpy(new Uint8Array(4096), [1, 64, 64]);
        const path = "v1/predict?plane=axial";
        const honest = await send(handler, exam, { type: "application/octet-stream", path });
        await answered(honest);
        assert.equal(studyTurns.length, 1, "the decoder still hangs");
        await refused(
          await send(handler, zip(study(1)), { type: "application/zip" }),
          429,
          /^1 exams are waiting already: try again in /,
        );
        await refused(await hung, 422, /: the decoder did not end within 10 s: /);
        assertWithin(performance.now() - begin, 35_000);
        assert.equal(decoders, 1);
      } finally {
        globalThis.Worker = RealWorker;
      }
    }),
);

/** A file of explicit little endian with another transfer syntax, whose name is as long. */
function _asJpegLs(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 400));
  const at = text.indexOf("1.2.840.10008.1.2.1\0");
  assert.ok(at > 0);
  // The group's length grows by what the name does.
  const name = new TextEncoder().encode("1.2.840.10008.1.2.4.80");
  const grown = concat([bytes.subarray(0, at), name, bytes.subarray(at + 20)]);
  const view = new DataView(grown.buffer);
  view.setUint16(at - 2, name.length, true);
  view.setUint32(140, view.getUint32(140, true) + name.length - 20, true);
  return grown;
}

Deno.test(
  "a study that is dropped on the viewer is shown by its planes, and read as it is by predict",
  OUTLIVING,
  () =>
    withService({}, async (handler) => {
      const files = study(1);
      const { predictions } = await answered(
        await send(handler, zip(files), { type: "application/zip" }),
      );
      const dropped = await (await send(handler, form(files), { path: "viewer/exams" })).json();
      assert.deepEqual(new Set(dropped.planes), new Set(PLANES));
      assert.equal(dropped.series.coronal.description, "coronal Doe scan");
      const url = `http://localhost/viewer/reading/dropped/${dropped.id}`;
      const reading = await (await handler(new Request(url))).json();
      assert.deepEqual(
        reading.predictions.map(({ probability }: { probability: number }) => probability),
        predictions.map(({ probability }) => probability),
      );
      const problem = await refused(
        await send(handler, form(ambiguous()), { path: "viewer/exams" }),
        422,
        /^Several series could be meant/,
      );
      const chosen = form(ambiguous());
      chosen.append("series", problem.candidates![1].choice);
      const again = await (await send(handler, chosen, { path: "viewer/exams" })).json();
      assert.equal(again.series.axial.series, "2.25.99");
    }),
);
