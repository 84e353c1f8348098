/**
 * The answer of a study as a structured report that programs can read: a Comprehensive SR by template 1500,
 * Measurement Report (PS3.16), with a measurement group for each model's answer.
 *
 * It is partial, unverified and preliminary: nobody has read the study.
 */
import { FINDINGS, thresholdText } from "../page/format.ts";
import { VERSION } from "../version.ts";
import {
  CODES,
  DECISION_CODES,
  FINDING_CODES,
  OWN_SCHEME,
  PLANE_CODES,
  SIDE_CODES,
} from "./codes.ts";
import * as item from "./content_items.ts";
import { derivedUid } from "./derived_uid.ts";
import type { Elements } from "./elements.ts";
import { type DicomInstance, dicomInstance, MANUFACTURER, NOT_FOR_DIAGNOSIS } from "./instance.ts";
import { answeredSeries, answerKey, type ModelAnswer } from "./model_answer.ts";
import type { AnsweredStudy } from "./source.ts";

/** Comprehensive SR Storage. */
export const COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33";

/** Behind those of scanners. */
const SERIES_NUMBER = 9001;

/**
 * Writes the report.
 *
 * Its identifiers follow from the study, the images, the models and the toolkit's version: the same
 * answer has the same ones, whenever it is given.
 *
 * @param study whose images the models read
 * @param answers at least one
 * @param now when it is written
 */
export function structuredReport(
  study: AnsweredStudy,
  answers: readonly ModelAnswer[],
  now: Date = new Date(),
): DicomInstance {
  const images = study.series.flatMap(({ images }) => images);
  const key = [
    ...[study.uid, VERSION],
    ...answers.flatMap(answerKey),
    ...images.map(({ instance, frame }) => `${instance} ${frame ?? ""}`),
  ];
  const root = item.container(CODES.report, [
    ...item.related("HAS CONCEPT MOD", [item.codedItem(CODES.language, CODES.english)]),
    ...item.related("HAS OBS CONTEXT", [
      item.codedItem(CODES.observerType, CODES.device),
      item.uidItem(CODES.deviceUid, derivedUid(MANUFACTURER, VERSION)),
      item.textItem(CODES.deviceName, `${MANUFACTURER} ${VERSION}`),
      item.textItem(CODES.deviceManufacturer, MANUFACTURER),
    ]),
    ...item.related("HAS CONCEPT MOD", [item.codedItem(CODES.procedure, CODES.mri)]),
    ...item.related("CONTAINS", [
      _imageLibrary(study),
      item.container(
        CODES.measurements,
        item.related("CONTAINS", answers.map((answer) => _group(study, answer, key))),
      ),
    ]),
  ], "1500");
  return dicomInstance(study, {
    sopClass: COMPREHENSIVE_SR,
    uid: derivedUid("report", ...key),
    seriesUid: derivedUid("series of reports", ...key),
    modality: "SR",
    seriesNumber: SERIES_NUMBER,
    instanceNumber: 1,
    description: `Answer of a model. ${NOT_FOR_DIAGNOSIS}`,
    model: answers.map(({ name }) => name).join(", "),
    now,
  }, {
    "0008,0110 SQ": [{
      "0008,0102 SH": OWN_SCHEME,
      "0008,0115 ST": `Codes of ${MANUFACTURER}`,
      "0008,0116 ST": MANUFACTURER,
    }],
    "0008,1111 SQ": [],
    "0040,A372 SQ": [],
    "0040,A375 SQ": _evidence(study),
    "0040,A491 CS": "PARTIAL",
    "0040,A492 LO": `The answer of a model for research. ${NOT_FOR_DIAGNOSIS}`,
    "0040,A493 CS": "UNVERIFIED",
    "0040,A496 CS": "PRELIMINARY",
    ...root,
  });
}

/** Every image that was read, by series. */
function _evidence({ uid, series }: AnsweredStudy): Elements[] {
  // Two planes may be of one series, in one direction each.
  const bySeries = Map.groupBy(series, ({ uid }) => uid);
  return [{
    "0020,000D UI": uid,
    "0008,1115 SQ": [...bySeries].map(([uid, series]) => ({
      "0020,000E UI": uid,
      "0008,1199 SQ": item.byInstance(series.flatMap(({ images }) => images)).map(([first]) => ({
        "0008,1150 UI": first.sopClass,
        "0008,1155 UI": first.instance,
      })),
    })),
  }];
}

function _imageLibrary({ series }: AnsweredStudy): Elements {
  const groups = series.map(({ images }) =>
    item.container(
      CODES.imageLibraryGroup,
      item.related("CONTAINS", item.byInstance(images).map((each) => item.imageItem(each))),
    )
  );
  return item.container(CODES.imageLibrary, item.related("CONTAINS", groups), "1600");
}

/** The answer of a model, by template 1501, Measurement and Qualitative Evaluation Group. */
function _group(study: AnsweredStudy, answer: ModelAnswer, key: readonly string[]): Elements {
  const { task, probability, decision, threshold } = answer;
  const side = study.side === undefined ? [] : item.related("HAS CONCEPT MOD", [
    item.codedItem(CODES.laterality, SIDE_CODES[study.side]),
  ]);
  return item.container(CODES.measurementGroup, [
    ...item.related("HAS OBS CONTEXT", [
      item.textItem(CODES.trackingIdentifier, `${task} ${answer.sha256.slice(0, 8)}`),
      item.uidItem(CODES.trackingUid, derivedUid("finding", ...answerKey(answer), ...key)),
    ]),
    ...item.related("CONTAINS", [item.codedItem(CODES.finding, FINDING_CODES[task])]),
    ...item.related("HAS CONCEPT MOD", [
      item.textItem(CODES.algorithmName, `${MANUFACTURER}: ${answer.name} (${answer.kind})`),
      item.textItem(CODES.algorithmVersion, VERSION),
      ..._parameters(answer).map((text) => item.textItem(CODES.algorithmParameters, text)),
      item.codedItem(CODES.site, CODES.knee, side),
    ]),
    ...item.related("CONTAINS", [
      item.numberItem(CODES.probability, probability),
      ..._planes(answer),
      item.numberItem(CODES.operatingPoint, threshold),
      item.codedItem(CODES.decision, DECISION_CODES[decision]),
      ...answeredSeries(study, answer).flatMap(({ images }) => item.byInstance(images)).map((
        images,
      ) => item.imageItem(images, CODES.source)),
      item.textItem(CODES.comment, `${NOT_FOR_DIAGNOSIS}. ${_sentence(answer)}`),
    ]),
  ], "1501");
}

/** Of a combination what the models of each plane say. */
function _planes({ planes }: ModelAnswer): Elements[] {
  if (planes.length < 2) return [];
  return planes.map(({ plane, probability }) =>
    item.numberItem(
      CODES.probability,
      probability,
      item.related("HAS CONCEPT MOD", [item.codedItem(CODES.plane, PLANE_CODES[plane])]),
    )
  );
}

function _parameters(
  { sha256, intensity, mappedPlanes, recalibrations }: ModelAnswer,
): string[] {
  const mapped = mappedPlanes.join(", ");
  return [
    `model SHA-256 ${sha256}`,
    ...mapped === "" ? [] : [`grey values of ${mapped} mapped to landmarks of the training exams`],
    ...intensity === undefined ? [] : [`grey values ${intensity}`],
    ...recalibrations,
  ];
}

/** For a person who reads it. */
function _sentence(
  { task, probability, decision, threshold, hasOperatingPoint }: ModelAnswer,
): string {
  const from = hasOperatingPoint
    ? "the model's operating point"
    : "the model has no operating point";
  return `${FINDINGS[task]}: probability ${probability.toFixed(4)}, ${decision} from ` +
    `${thresholdText(threshold)} on (${from}).`;
}
