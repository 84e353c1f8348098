/**
 * The answer of a study as a structured report: what is in it, that it is the same each time, and that
 * programs of others read it.
 */
import assert from "node:assert/strict";
import type { Classifier, ClassifierPrediction } from "../../lib/classifier/classifier.ts";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import type { DicomInstance } from "../../lib/pacs/instance.ts";
import { type ModelAnswer, modelAnswer } from "../../lib/pacs/model_answer.ts";
import { COMPREHENSIVE_SR, structuredReport } from "../../lib/pacs/structured_report.ts";
import { ANSWER, MR_IMAGE, openStudy, studyToAnswer } from "../support/answers.ts";
import type { DicomValue } from "../support/dicom.ts";
import { dicomErrors, testWithDicom3tools } from "../support/dicom3tools.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { testWithPython } from "../support/python.ts";
import { answeredStudy } from "../../lib/pacs/source.ts";
import { PLANES } from "../../lib/terms.ts";

const NOW = new Date("2026-03-04T05:06:07Z");

/** What a reader finds in an instance, by tag. */
async function read({ bytes }: DicomInstance) {
  const { data } = await parseDicom(bytes, { file: "answer" });
  return (tag: string) => data.string(tag);
}

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

Deno.test("a report says that nobody has read the study, whose it is, and that it is not for diagnosis", async () => {
  const report = structuredReport(await studyToAnswer(), [ANSWER], NOW);
  const at = await read(report);
  assert.deepEqual(
    {
      class: at("x00080016"),
      instance: at("x00080018"),
      modality: at("x00080060"),
      flags: [at("x0040a491"), at("x0040a493"), at("x0040a496")],
      study: [at("x0020000d"), at("x00080020"), at("x00080030"), at("x00080050"), at("x00200010")],
      patient: [
        at("x00100010"),
        at("x00100020"),
        at("x00100021"),
        at("x00100030"),
        at("x00100040"),
      ],
    },
    {
      class: COMPREHENSIVE_SR,
      instance: report.uid,
      modality: "SR",
      flags: ["PARTIAL", "UNVERIFIED", "PRELIMINARY"],
      study: ["2.25.77", "20240229", "101112.5", "ACC 7", "S 1"],
      patient: ["Doe^Jane", "MRN-7", "Ward 3", "19700102", "F"],
    },
  );
  assert.match(at("x0008103e")!, /Not for diagnosis/);
  assert.match(at("x0040a492")!, /Not for diagnosis/);
});

Deno.test("the same answer is the same instance, and another one is another", async () => {
  const study = await studyToAnswer();
  const uid = (answers = [ANSWER], of = study) => structuredReport(of, answers, NOW).uid;
  const own = uid();
  assert.match(own, /^2\.25\.[1-9]\d{0,38}$/);
  assert.equal(structuredReport(await studyToAnswer(), [ANSWER]).uid, own);
  assert.deepEqual(structuredReport(study, [ANSWER], NOW), structuredReport(study, [ANSWER], NOW));
  const others = [
    uid([{ ...ANSWER, sha256: "f".repeat(64) }]),
    uid([{ ...ANSWER, intensity: "standardized" }]),
    uid([ANSWER, { ...ANSWER, task: "meniscus" }]),
    uid([ANSWER], { ...study, uid: "2.25.78" }),
    uid([ANSWER], { ...study, series: study.series.slice(1) }),
  ];
  assert.equal(new Set([own, ...others]).size, others.length + 1);
});

Deno.test("a report says what was done to the grey values before the models had them", async () => {
  const study = await studyToAnswer();
  const said = ({ bytes }: DicomInstance) => new TextDecoder("latin1").decode(bytes);
  const mapped = "grey values of axial, sagittal mapped to landmarks of the training exams";
  assert.ok(!said(structuredReport(study, [ANSWER], NOW)).includes("landmarks"));
  const answer = { ...ANSWER, mappedPlanes: ["axial", "sagittal"] as const };
  assert.ok(said(structuredReport(study, [answer], NOW)).includes(mapped));

  const models = PLANES.map((plane) => ({
    card: { plane, landmarks: plane === "coronal" ? undefined : { exams: 29 } },
  }));
  const classifier = { models, card: {}, planes: PLANES, recalibrations: [] };
  const planes = Object.fromEntries(PLANES.map((plane) => [plane, { probability: 0.5 }]));
  const told = modelAnswer(
    classifier as unknown as Classifier,
    { planes } as unknown as ClassifierPrediction,
  );
  assert.deepEqual(told.mappedPlanes, ["axial", "sagittal"]);
});

Deno.test("times are those of the study's zone, or of this machine", async () => {
  const moment = async (zone?: string) => {
    const elements = { "0008,0201 SH": zone };
    const at = await read(structuredReport(await studyToAnswer({ elements }), [ANSWER], NOW));
    return [at("x00080023"), at("x00080033"), at("x00080201")];
  };
  assert.deepEqual(await moment("-0600"), ["20260303", "230607", "-0600"]);
  assert.deepEqual(await moment("+0530"), ["20260304", "103607", "+0530"]);
  const local = new Date(NOW.getTime() - 60_000 * NOW.getTimezoneOffset()).toISOString();
  const here = [local.slice(0, 10).replaceAll("-", ""), local.slice(11, 19).replaceAll(":", "")];
  assert.deepEqual(await moment(), [...here, undefined]);
  assert.deepEqual(await moment("Berlin"), [...here, undefined]);
});

/** Names and other values as they come, the character set that is carried, and what is left out. */
const HOSTILE: readonly {
  name: string;
  elements: Record<string, DicomValue | undefined>;
  set: string | undefined;
  leftOut?: string[];
}[] = [
  {
    name: "Latin 1",
    elements: { "0008,0005 CS": "ISO_IR 100", "0010,0010 PN": latin("Buc^J\xe9r\xf4me") },
    set: "ISO_IR 100",
  },
  {
    name: "UTF-8",
    elements: { "0008,0005 CS": "ISO_IR 192", "0010,0010 PN": "Müller^Jürgen=王^小東" },
    set: "ISO_IR 192",
  },
  {
    name: "Japanese",
    elements: {
      "0008,0005 CS": "\\ISO 2022 IR 87",
      "0010,0010 PN": "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
    },
    set: "\\ISO 2022 IR 87",
  },
  {
    name: "Korean",
    elements: {
      "0008,0005 CS": "\\ISO 2022 IR 149",
      "0010,0010 PN": latin("Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"),
    },
    set: "\\ISO 2022 IR 149",
  },
  {
    name: "undeclared Latin 1",
    elements: { "0010,0010 PN": latin("Buc^J\xe9r\xf4me") },
    set: "ISO_IR 100",
  },
  {
    name: "UTF-8 under a name of its own",
    elements: { "0008,0005 CS": "UTF-8", "0010,0010 PN": "Müller^Jürgen" },
    set: "ISO_IR 192",
  },
  {
    name: "Latin 1 that is said to be UTF-8",
    elements: { "0008,0005 CS": "ISO_IR 192", "0010,0010 PN": latin("Buc^J\xe9r\xf4me") },
    set: "ISO_IR 100",
  },
  {
    name: "nothing but what nobody can do without",
    elements: Object.fromEntries(
      ["0008,0020 DA", "0008,0030 TM", "0008,0050 SH", "0008,0090 PN", "0008,1030 LO"].concat(
        ["0010,0010 PN", "0010,0020 LO", "0010,0021 LO", "0010,0030 DA", "0010,0040 CS"],
        ["0010,1010 AS", "0020,0010 SH", "0020,0060 CS"],
      ).map((tag) => [tag, undefined]),
    ),
    set: undefined,
  },
  {
    name: "what DICOM does not allow",
    elements: {
      "0008,0020 DA": "20240231",
      "0008,0030 TM": "25:00",
      "0008,0050 SH": "an accession number of 31 signs",
      "0008,0090 PN": "a=b=c=d",
      "0008,1030 LO": "knee\\left",
      "0010,0010 PN": `${"x".repeat(65)}^Jane`,
      "0010,0020 LO": "7\r\n8",
      "0010,0021 LO": "x".repeat(2000),
      "0010,0030 DA": "00010101",
      "0010,0040 CS": "female",
      "0010,1010 AS": "54",
    },
    set: undefined,
    leftOut: [
      ...["StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName"],
      ...["StudyDescription", "PatientName", "PatientID", "IssuerOfPatientID"],
      ...["PatientBirthDate", "PatientSex", "PatientAge"],
    ],
  },
];

Deno.test("names in every character set are copied byte for byte, and what is not allowed is left out", async () => {
  for (const { name, elements, set, leftOut = [] } of HOSTILE) {
    const study = await studyToAnswer({ elements });
    assert.deepEqual(study.leftOut, leftOut, name);
    const { data } = await parseDicom(structuredReport(study, [ANSWER], NOW).bytes, { file: "" });
    const value = (tag: string) => {
      const { dataOffset, length } = data.elements[tag];
      return data.byteArray.slice(dataOffset, dataOffset + length);
    };
    assert.equal(data.string("x00080005"), set, name);
    const given = "0010,0010 PN" in elements ? elements["0010,0010 PN"] : "Doe^Jane";
    const bytes = leftOut.includes("PatientName") || given === undefined
      ? new Uint8Array()
      : given instanceof Uint8Array
      ? given
      : new TextEncoder().encode(given as string);
    const even = bytes.length % 2 === 0 ? bytes : Uint8Array.of(...bytes, 0x20);
    assert.deepEqual([...value("x00100010")], [...even], name);
  }
});

Deno.test("dates and times in their old form are written in today's", async () => {
  const elements = { "0008,0020 DA": "2024.02.29", "0008,0030 TM": "10:11:12.5" };
  const at = await read(structuredReport(await studyToAnswer({ elements }), [ANSWER], NOW));
  assert.deepEqual([at("x00080020"), at("x00080030")], ["20240229", "101112.5"]);
});

Deno.test("a study that an answer cannot belong to is refused in one line", async () => {
  const refuses = (given: Parameters<typeof openStudy>[0], found: RegExp) =>
    assert.rejects(studyToAnswer(given), { name: "DataError", message: found });
  const all =
    /^Cannot write the answer of study 'study' as DICOM: .+: give it as .+, or predict it without such an answer$/;
  await refuses({ planes: ["axial"], elements: { "0008,0016 UI": undefined } }, all);
  await refuses(
    { planes: ["axial"], elements: { "0008,0018 UI": "7\\8" } },
    /: '7\\8' is no identifier of its image:/,
  );
  await refuses(
    { elements: { "0020,000D UI": undefined } },
    /: its files do not identify their study:/,
  );
  await refuses(
    { of: { sagittal: { "0010,0020 LO": "MRN-8" } } },
    /: its series are of several patients:/,
  );
  const { studies, study } = await openStudy({ planes: ["axial"] });
  using _ = studies;
  await assert.rejects(answeredStudy(study, ["coronal"]), /it has no coronal series/);
});

Deno.test("a side is said if all planes say the same one", async () => {
  const side = async (axial: string, coronal: string) => {
    const of = { axial: { "0020,0060 CS": axial }, coronal: { "0020,0060 CS": coronal } };
    return (await studyToAnswer({ planes: ["axial", "coronal"], of })).side;
  };
  assert.deepEqual(
    [await side("L", "L"), await side("R", ""), await side("R", "L"), await side("B", "B")],
    ["L", "R", undefined, undefined],
  );
});

testWithDicom3tools("dciodvfy finds no error in a report, whatever the study says", async () => {
  for (const { name, elements } of HOSTILE) {
    const { bytes } = structuredReport(await studyToAnswer({ elements }), [ANSWER], NOW);
    assert.deepEqual(await dicomErrors(bytes), [], name);
  }
  const one = { ...ANSWER, task: "abnormal", planes: ANSWER.planes.slice(0, 1) } as const;
  const study = await studyToAnswer({ planes: ["axial"] });
  const { bytes } = structuredReport(study, [one, { ...one, task: "meniscus" }], NOW);
  assert.deepEqual(await dicomErrors(bytes), []);
});

/** Prints what pydicom reads of files, those of `HOSTILE`, and that the names are those of the source. */
const NAMES = `
import json, sys, pydicom
print(json.dumps([str(pydicom.dcmread(path).PatientName) for path in sys.argv[1:]]))
`;

testWithPython("pydicom reads the names as they are", ["pydicom"], async (run) => {
  await using folder = await TemporaryFolder.make();
  const files: string[] = [];
  for (const [index, { elements }] of HOSTILE.entries()) {
    const { bytes } = structuredReport(await studyToAnswer({ elements }), [ANSWER], NOW);
    await folder.write(`${index}.dcm`, bytes);
    files.push(folder.at(`${index}.dcm`));
  }
  assert.deepEqual(JSON.parse(await run(NAMES, ...files)), [
    "Buc^Jérôme",
    "Müller^Jürgen=王^小東",
    "Yamada^Tarou=山田^太郎",
    "Hong^Gildong=洪^吉洞",
    "Buc^Jérôme",
    "Müller^Jürgen",
    "Buc^Jérôme",
    "",
    "",
  ]);
});

/** Reads a report as template 1500 and prints what is in its groups. */
const GROUPS = `
import json, sys
from highdicom.sr import srread
report = srread(sys.argv[1])
print(json.dumps({
  "evidence": [
    [str(series.SeriesInstanceUID), [str(image.ReferencedSOPInstanceUID) for image in series.ReferencedSOPSequence]]
    for study in report.CurrentRequestedProcedureEvidenceSequence for series in study.ReferencedSeriesSequence
  ],
  "groups": [{
    "finding": [group.finding_type.value, group.finding_type.scheme_designator],
    "site": [site.value.meaning for site in group.finding_sites],
    "side": [item.value.meaning for site in group.finding_sites for item in site.ContentSequence],
    "numbers": [[each.name.meaning, each.value] for each in group.get_measurements()],
    "decision": [[each.name.value, each.value.meaning] for each in group.get_qualitative_evaluations()],
    "images": [str(image.referenced_sop_instance_uid) for image in group.source_images],
    "texts": [str(item.TextValue) for item in group[0].ContentSequence if item.ValueType == "TEXT"],
  } for group in report.content.get_image_measurement_groups()],
}))
`;

testWithPython("highdicom reads the groups of the report", ["highdicom"], async (run) => {
  await using folder = await TemporaryFolder.make();
  const meniscus: ModelAnswer = {
    ...ANSWER,
    task: "meniscus",
    decision: "negative",
    probability: 1e-7,
    planes: [{ plane: "sagittal", probability: 1e-7 }],
  };
  const study = await studyToAnswer({ planes: ["axial", "sagittal"] });
  await folder.write("a.dcm", structuredReport(study, [ANSWER, meniscus], NOW).bytes);
  const { evidence, groups } = JSON.parse(await run(GROUPS, folder.at("a.dcm")));
  // In MRNet's order: axial slices from above.
  const images = [["7722", "7721", "7720"], ["7700", "7701", "7702"]]
    .map((series) => series.map((uid) => `2.25.${uid}`));
  assert.deepEqual(evidence, [["2.25.772", images[0]], ["2.25.770", images[1]]]);
  const numbers = [
    ["Probability", 0.7],
    ["Probability", 0.25],
    ["Probability", 0.9],
    ["Probability from which on it is present", 0.31],
  ];
  const [acl, other] = groups;
  const { texts, ...rest } = acl;
  assert.deepEqual(rest, {
    finding: ["239725005", "SCT"],
    site: ["Knee"],
    side: ["Left"],
    numbers: [["Probability", ANSWER.probability], ...numbers],
    decision: [["decision", "Present"]],
    images: images.flat(),
  });
  assert.deepEqual(texts.slice(-1), [
    "Not for diagnosis. ACL tear: probability 0.8312, positive from 0.31 on (the model's operating point).",
  ]);
  assert.ok(texts.includes(`model SHA-256 ${ANSWER.sha256}`));
  assert.deepEqual(
    [other.finding[0], other.numbers[0], other.decision, other.images],
    ["239720000", ["Probability", 1e-7], [["decision", "Absent"]], images[1]],
  );
});

Deno.test("of a file of several frames the frames are named", async () => {
  const study = await studyToAnswer({ planes: ["axial"] });
  const images = [2, 1, 3].map((frame) => ({ sopClass: MR_IMAGE, instance: "2.25.5", frame }));
  const series = [{ ...study.series[0], images }];
  const { bytes } = structuredReport({ ...study, series }, [ANSWER], NOW);
  const text = new TextDecoder("latin1").decode(bytes);
  assert.equal(text.split("2\\1\\3").length - 1, 2, "in the library and as the source");
});
