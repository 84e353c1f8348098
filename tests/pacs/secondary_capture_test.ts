/**
 * Where a model looked as a DICOM picture: that the picture and its header warn, that it is the same each
 * time, and that programs of others read it.
 */
import assert from "node:assert/strict";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { Studies } from "../../lib/imaging/studies.ts";
import {
  capturedPicture,
  SECONDARY_CAPTURE,
  secondaryCapture,
} from "../../lib/pacs/secondary_capture.ts";
import { structuredReport } from "../../lib/pacs/structured_report.ts";
import { ANSWER, explained, studyToAnswer } from "../support/answers.ts";
import { dicomErrors, testWithDicom3tools } from "../support/dicom3tools.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { testWithPython } from "../support/python.ts";
import { study as scanned } from "../support/study.ts";

const NOW = new Date("2026-03-04T05:06:07Z");
const AXIAL = { plane: "axial", ...explained() } as const;

Deno.test("a capture warns in its header, and names what it was made of and nobody in its pixels", async () => {
  const study = await studyToAnswer({ planes: ["axial", "sagittal"] });
  const capture = secondaryCapture(study, ANSWER, AXIAL, NOW);
  const { data } = await parseDicom(capture.bytes, { file: "" });
  const at = (tag: string) => data.string(tag);
  assert.deepEqual(
    {
      class: at("x00080016"),
      instance: at("x00080018"),
      type: at("x00080008"),
      burnedIn: at("x00280301"),
      patient: [at("x00100010"), at("x00100020")],
      study: [at("x0020000d"), at("x00080020")],
      side: at("x00200060"),
      sources: data.elements.x00082112.items!.map(({ dataSet }) => dataSet!.string("x00081155")),
    },
    {
      class: SECONDARY_CAPTURE,
      instance: capture.uid,
      type: "DERIVED\\SECONDARY",
      burnedIn: "YES",
      patient: ["Doe^Jane", "MRN-7"],
      study: ["2.25.77", "20240229"],
      side: "L",
      sources: ["2.25.7722", "2.25.7721", "2.25.7720"],
    },
  );
  for (const tag of ["x0008103e", "x00082111", "x00204000"]) {
    assert.match(at(tag)!, /Not for diagnosis/);
  }
  // What the exam is called, often by the patient's name, is not drawn.
  const picture = (id: string) => {
    const { exam, explanation } = AXIAL;
    return capturedPicture(ANSWER, {
      plane: "axial",
      exam: { ...exam, id },
      explanation: { ...explanation, id },
    }).data;
  };
  assert.deepEqual(picture("Doe, Jane"), picture("Roe, Richard"));
});

Deno.test("the warning is drawn above and below the sheet, the same in every picture", () => {
  const { width, height, data } = capturedPicture(ANSWER, AXIAL);
  const rows = (from: number, to: number) => data.subarray(3 * width * from, 3 * width * to);
  const [above, below] = [rows(0, 84), rows(height - 84, height)];
  assert.deepEqual(above, below);
  // A band of one colour with text: its two colours and what lies between them.
  const red = [...above.subarray(0, 3)];
  assert.deepEqual(red, [120, 26, 30]);
  let bright = 0;
  for (let at = 0; at < above.length; at += 3) if (above[at + 1] > 200) bright++;
  assert.ok(bright > 1000, `${bright} pixels of letters`);
});

Deno.test("the same picture is the same instance, in a series with those of the other planes", async () => {
  const study = await studyToAnswer({ planes: ["axial", "sagittal"] });
  const uids = async (...given: Parameters<typeof secondaryCapture>) => {
    const { data } = await parseDicom(secondaryCapture(...given).bytes, { file: "" });
    return { instance: data.string("x00080018"), series: data.string("x0020000e") };
  };
  const axial = await uids(study, ANSWER, AXIAL, NOW);
  assert.deepEqual(await uids(study, ANSWER, AXIAL), axial);
  const sagittal = await uids(study, ANSWER, { ...AXIAL, plane: "sagittal" });
  assert.equal(sagittal.series, axial.series);
  assert.notEqual(sagittal.instance, axial.instance);
  // What other models read is no matter of this one's.
  const one = { ...ANSWER, planes: ANSWER.planes.slice(0, 1) };
  const alone = await studyToAnswer({ planes: ["axial"] });
  assert.deepEqual(await uids(study, one, AXIAL), await uids(alone, one, AXIAL));
  const classic = { ...AXIAL, explanation: { ...AXIAL.explanation, map: "classic" as const } };
  for (
    const other of [
      await uids(study, { ...ANSWER, sha256: "f".repeat(64) }, AXIAL),
      await uids(study, ANSWER, classic),
    ]
  ) {
    assert.notEqual(other.instance, axial.instance);
    assert.notEqual(other.series, axial.series);
  }
});

Deno.test("answers that lie beside a study's images do not become images of it", async () => {
  const files = [...scanned(1, { "0008,0016 UI": "1.2.840.10008.5.1.4.1.1.4" })]
    .filter(([name]) => name.startsWith("axial")).map(([name, bytes]) => ({ name, bytes }));
  const source = await studyToAnswer({ planes: ["axial"] });
  const answers = [
    structuredReport(source, [ANSWER], NOW),
    secondaryCapture(source, ANSWER, AXIAL, NOW),
  ];
  const more = answers.map(({ uid, bytes }) => ({ name: `${uid}.dcm`, bytes }));
  using studies = await Studies.open([...files, ...more]);
  assert.equal(studies.studies.length, 1);
  assert.equal(studies.studies[0].choices[0].series!.facts.slices, 18);
  assert.deepEqual(
    studies.skipped.map(({ reason }) => reason.split(": ")[1]),
    ["it holds no pixels", "its pixels are RGB, not grey"],
  );
});

testWithDicom3tools("dciodvfy finds no error in a capture", async () => {
  const japanese = {
    "0008,0005 CS": "\\ISO 2022 IR 87",
    "0010,0010 PN": "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
  };
  for (const elements of [{}, japanese, { "0020,0060 CS": undefined }]) {
    const study = await studyToAnswer({ planes: ["axial"], elements });
    const { bytes } = secondaryCapture(study, { ...ANSWER, name: "Knie ü" }, AXIAL, NOW);
    assert.deepEqual(await dicomErrors(bytes), []);
  }
});

const PIXELS = `
import hashlib, json, sys, pydicom
image = pydicom.dcmread(sys.argv[1])
pixels = image.pixel_array
print(json.dumps([list(pixels.shape), str(pixels.dtype), hashlib.sha256(pixels.tobytes()).hexdigest()]))
`;

testWithPython("pydicom reads the pixels as they were drawn", ["pydicom", "numpy"], async (run) => {
  await using folder = await TemporaryFolder.make();
  const study = await studyToAnswer({ planes: ["axial"] });
  await folder.write("a.dcm", secondaryCapture(study, ANSWER, AXIAL, NOW).bytes);
  const { width, height, data } = capturedPicture(ANSWER, AXIAL);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(data))).toHex();
  assert.deepEqual(JSON.parse(await run(PIXELS, folder.at("a.dcm"))), [
    [height, width, 3],
    "uint8",
    hash,
  ]);
});
