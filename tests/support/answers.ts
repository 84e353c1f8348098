/** Studies and answers about them, for tests of the objects that say the answers. */
import type { Explanation } from "../../lib/explain/explain.ts";
import { Studies, type Study } from "../../lib/imaging/studies.ts";
import type { ModelAnswer } from "../../lib/pacs/model_answer.ts";
import { type AnsweredStudy, answeredStudy } from "../../lib/pacs/source.ts";
import type { ExplainedExam } from "../../lib/pacs/secondary_capture.ts";
import type { Plane } from "../../lib/terms.ts";
import { dicomSlice, type DicomValue } from "./dicom.ts";
import { DIRECTIONS } from "./study.ts";

/** MR Image Storage. */
export const MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4";

/** What a careful scanner says of the patient and the study. */
export const IDENTITY: Record<string, DicomValue> = {
  "0008,0016 UI": MR_IMAGE,
  "0008,0020 DA": "20240229",
  "0008,0030 TM": "101112.5",
  "0008,0050 SH": "ACC 7",
  "0008,0090 PN": "Roe^Richard^^Dr",
  "0008,1030 LO": "MRI knee left",
  "0010,0010 PN": "Doe^Jane",
  "0010,0020 LO": "MRN-7",
  "0010,0021 LO": "Ward 3",
  "0010,0030 DA": "19700102",
  "0010,0040 CS": "F",
  "0010,1010 AS": "054Y",
  "0020,000D UI": "2.25.77",
  "0020,0010 SH": "S 1",
  "0020,0060 CS": "L",
};

/** A study of these planes, three slices each; elements replace those of {@linkcode IDENTITY}. */
export async function openStudy(
  { planes = ["axial", "coronal", "sagittal"], elements = {}, of = {} }: {
    planes?: readonly Plane[];
    elements?: Record<string, DicomValue | undefined>;
    /** Elements of one plane alone. */
    of?: Partial<Record<Plane, Record<string, DicomValue | undefined>>>;
  } = {},
): Promise<{ studies: Studies; study: Study }> {
  const files = Object.entries(DIRECTIONS).flatMap(([name, direction], at) => {
    const plane = name as Plane;
    if (!planes.includes(plane)) return [];
    return [0, 1, 2].map((slice) => {
      const position = [0, 0, 0];
      position[at] = 4 * slice;
      const values = Array.from({ length: 4096 }, (_, i) => (i * (3 + slice)) % 997);
      const bytes = dicomSlice({
        ...{ rows: 64, columns: 64, values },
        elements: {
          ...IDENTITY,
          "0008,0018 UI": `2.25.77${at}${slice}`,
          "0020,000E UI": `2.25.77${at}`,
          "0020,0032 DS": position.join("\\"),
          "0020,0037 DS": direction,
          ...elements,
          ...of[plane],
        },
      });
      return { name: `study/${plane}/${slice}.dcm`, bytes };
    });
  });
  const studies = await Studies.open(files);
  return { studies, study: studies.studies[0] };
}

/** The same, as an answer knows it. */
export async function studyToAnswer(
  given: Parameters<typeof openStudy>[0] = {},
): Promise<AnsweredStudy> {
  const { studies, study } = await openStudy(given);
  using _ = studies;
  return await answeredStudy(study, given.planes ?? ["axial", "coronal", "sagittal"]);
}

/** An answer of a combination. */
export const ANSWER: ModelAnswer = {
  task: "acl",
  name: "combined_acl",
  kind: "combined",
  sha256: "0123456789abcdef".repeat(4),
  intensity: "raw",
  mappedPlanes: [],
  probability: 0.8312345678,
  decision: "positive",
  threshold: 0.31,
  hasOperatingPoint: true,
  recalibrations: ["combined: recalibrated by platt on 80 tune exams"],
  planes: [
    { plane: "axial", probability: 0.7 },
    { plane: "coronal", probability: 0.25 },
    { plane: "sagittal", probability: 0.9 },
  ],
};

/** A made-up exam of three slices of 64×64, and a made-up explanation of it that adds up. */
export function explained(): ExplainedExam {
  const voxels = Uint8Array.from({ length: 3 * 64 * 64 }, (_, i) => (i * 7) % 251);
  const maps = [[0.5, -0.25], [0, 0], [0.125, 0.5]];
  const slices: Explanation["slices"] = maps.map(([first, last]) => ({
    share: first + last,
    channelsSelected: first === 0 ? 0 : 8,
    map: Float64Array.of(first, last),
  }));
  const explanation: Explanation = {
    ...{ id: "study", map: "share", probability: 0.7, bias: -0.025, logits: [-0.85, 0.85] },
    ...{ mapHeight: 1, mapWidth: 2, mapStride: 32, mapStart: 16, selectedSlices: [0, 2] },
    ...{ contributions: [0.25, 0.625], slices },
  };
  return { exam: { id: "study", slices: 3, height: 64, width: 64, voxels }, explanation };
}
