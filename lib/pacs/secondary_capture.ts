/**
 * Where a model looked, as pictures beside the study: a Secondary Capture of each plane with the contact
 * sheet of its maps. That it is not for diagnosis stands in the picture too, which viewers show without
 * the header.
 */
import type { Exam } from "../data/exam.ts";
import { Canvas } from "../explain/canvas.ts";
import type { Rgb } from "../explain/color_map.ts";
import type { Explanation } from "../explain/explain.ts";
import { viewOf } from "../explain/overlay.ts";
import type { Picture } from "../explain/png.ts";
import { BACKGROUND, contactSheet, INK } from "../explain/sheet.ts";
import { FINDINGS, subject, thresholdText } from "../page/format.ts";
import type { Plane } from "../terms.ts";
import { VERSION } from "../version.ts";
import { CODES } from "./codes.ts";
import { byInstance, referenceItem } from "./content_items.ts";
import { derivedUid } from "./derived_uid.ts";
import {
  asciiText,
  codeItem,
  type DicomInstance,
  dicomInstance,
  MANUFACTURER,
  NOT_FOR_DIAGNOSIS,
} from "./instance.ts";
import { answeredSeries, answerKey, type ModelAnswer } from "./model_answer.ts";
import type { AnsweredStudy } from "./source.ts";

/** Secondary Capture Image Storage. */
export const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";

/** Behind the reports. */
const SERIES_NUMBER = 9002;

/** An exam of a study, and where its plane's models looked. */
export interface ExplainedExam {
  readonly exam: Exam;
  readonly explanation: Explanation;
}

/**
 * Writes the picture of a plane. Its identifiers follow from what it shows, as those of a report do.
 *
 * @param study whose images the models read
 * @param explained the exam of one of its planes, which the answer's models read
 * @param now when it is written
 */
export function secondaryCapture(
  study: AnsweredStudy,
  answer: ModelAnswer,
  { plane, exam, explanation }: ExplainedExam & { plane: Plane },
  now: Date = new Date(),
): DicomInstance {
  const series = answeredSeries(study, answer);
  const index = series.findIndex((each) => each.plane === plane);
  const { images } = series[index];
  const all = series.flatMap(({ images }) => images);
  const key = [
    ...[study.uid, VERSION, ...answerKey(answer), explanation.map],
    ...all.map(({ instance, frame }) => `${instance} ${frame ?? ""}`),
  ];
  const { width, height, data } = capturedPicture(answer, { plane, exam, explanation });
  const text = `${NOT_FOR_DIAGNOSIS}. Where a model for ${subject(answer.task, plane)} looked`;
  return dicomInstance(study, {
    sopClass: SECONDARY_CAPTURE,
    uid: derivedUid("capture", plane, ...key),
    seriesUid: derivedUid("series of captures", ...key),
    modality: "OT",
    seriesNumber: SERIES_NUMBER,
    instanceNumber: index + 1,
    description: `Where a model looked. ${NOT_FOR_DIAGNOSIS}`,
    model: answer.name,
    now,
  }, {
    "0008,0008 CS": "DERIVED\\SECONDARY",
    "0008,0064 CS": "WSD",
    "0008,2111 ST": `${text}: shares of its logit over the slices, by the model with SHA-256 ` +
      `${answer.sha256}`,
    "0008,2112 SQ": byInstance(images).map((each) => ({
      ...referenceItem(each),
      "0028,135A CS": "NO",
      "0040,A170 SQ": [codeItem(CODES.sourceImage)],
    })),
    "0008,9215 SQ": [codeItem(CODES.imageProcessing)],
    "0018,0015 CS": "KNEE",
    "0020,0020 CS": "",
    "0020,0060 CS": study.side ?? "",
    "0020,4000 LT": text,
    "0028,0002 US": [3],
    "0028,0004 CS": "RGB",
    "0028,0006 US": [0],
    "0028,0010 US": [height],
    "0028,0011 US": [width],
    "0028,0100 US": [8],
    "0028,0101 US": [8],
    "0028,0102 US": [7],
    "0028,0103 US": [0],
    "0028,0301 CS": "YES",
    "7FE0,0010 OB": data,
  });
}

/** The band above and below the contact sheet. */
const BAND = 84;
const BAND_COLOR: Rgb = [120, 26, 30];
const MARGIN = 22;

/**
 * The picture: the contact sheet between two bands. No name and no identifier of the patient is in it;
 * those are in the header, where they can be removed.
 */
export function capturedPicture(
  answer: ModelAnswer,
  { plane, exam, explanation }: ExplainedExam & { plane: Plane },
): Picture {
  const titled = { ...explanation, id: FINDINGS[answer.task] };
  const sheet = contactSheet(viewOf(exam, titled), plane);
  const { width } = sheet;
  const canvas = new Canvas(width, sheet.height + 2 * BAND, BACKGROUND);
  canvas.draw(sheet, 0, BAND);
  for (const top of [0, BAND + sheet.height]) {
    canvas.fill(0, top, width, BAND, BAND_COLOR);
    const style = { color: INK, width: width - 2 * MARGIN };
    canvas.text(NOT_FOR_DIAGNOSIS, MARGIN, top + 14, { ...style, size: 4 });
    canvas.text(_line(answer), MARGIN, top + 54, style);
  }
  return canvas;
}

/** What the whole classifier says; the sheet says it of the plane. */
function _line({ name, kind, sha256, probability, decision, threshold }: ModelAnswer): string {
  const which = asciiText(`${MANUFACTURER} ${VERSION}, ${name} ${sha256.slice(0, 8)}`);
  const whose = { single: "", combined: "combined ", ensemble: "ensemble " }[kind];
  return `${whose}probability ${probability.toFixed(3)}, ${decision} from ` +
    `${thresholdText(threshold)} on · ${which}`;
}
