/**
 * The codes of an answer. `DCM` are DICOM's own (PS3.16, annex D), `SCT` SNOMED CT's, of which those of
 * findings are disorders; what neither has a code for is in a scheme of this toolkit.
 */
import type { Plane, Task } from "../terms.ts";
import type { Code } from "./instance.ts";

const code = (value: string, scheme: string, meaning: string): Code => ({ value, scheme, meaning });
const dcm = (value: string, meaning: string) => code(value, "DCM", meaning);
const sct = (value: string, meaning: string) => code(value, "SCT", meaning);

/** The scheme of the codes that are this toolkit's own. */
export const OWN_SCHEME = "99MRNETDENO";

/** What is asked about. */
export const FINDING_CODES: Readonly<Record<Task, Code>> = {
  abnormal: sct("263654008", "Abnormal"),
  acl: sct("239725005", "Rupture of anterior cruciate ligament"),
  meniscus: sct("239720000", "Tear of meniscus of knee"),
};

/** Of a series. */
export const PLANE_CODES: Readonly<Record<Plane, Code>> = {
  axial: sct("24422004", "Axial"),
  coronal: sct("81654009", "Coronal"),
  sagittal: sct("30730003", "Sagittal"),
};

/** Of a knee. */
export const SIDE_CODES = {
  R: sct("24028007", "Right"),
  L: sct("7771000", "Left"),
} as const;

/** At the operating point. */
export const DECISION_CODES = {
  positive: sct("52101004", "Present"),
  negative: sct("272519000", "Absent"),
} as const;

/** The rest, by what they are called here. */
export const CODES = {
  report: dcm("126000", "Imaging Measurement Report"),
  language: dcm("121049", "Language of Content Item and Descendants"),
  english: code("en", "RFC5646", "English"),
  observerType: dcm("121005", "Observer Type"),
  device: dcm("121007", "Device"),
  deviceUid: dcm("121012", "Device Observer UID"),
  deviceName: dcm("121013", "Device Observer Name"),
  deviceManufacturer: dcm("121014", "Device Observer Manufacturer"),
  procedure: dcm("121058", "Procedure reported"),
  mri: code("25056-3", "LN", "MRI unspecified body region"),
  imageLibrary: dcm("111028", "Image Library"),
  imageLibraryGroup: dcm("126200", "Image Library Group"),
  measurements: dcm("126010", "Imaging Measurements"),
  measurementGroup: dcm("125007", "Measurement Group"),
  trackingIdentifier: dcm("112039", "Tracking Identifier"),
  trackingUid: dcm("112040", "Tracking Unique Identifier"),
  finding: dcm("121071", "Finding"),
  algorithmName: dcm("111001", "Algorithm Name"),
  algorithmVersion: dcm("111003", "Algorithm Version"),
  algorithmParameters: dcm("111002", "Algorithm Parameters"),
  site: sct("363698007", "Finding Site"),
  knee: sct("72696002", "Knee"),
  laterality: sct("272741003", "Laterality"),
  source: dcm("121112", "Source of Measurement"),
  probability: dcm("122157", "Probability"),
  comment: dcm("121106", "Comment"),
  noUnits: code("1", "UCUM", "no units"),
  decision: code("decision", OWN_SCHEME, "Decision at the operating point"),
  operatingPoint: code("operating-point", OWN_SCHEME, "Probability from which on it is present"),
  plane: code("plane", OWN_SCHEME, "Plane of the series"),
  imageProcessing: dcm("110001", "Image Processing"),
  sourceImage: dcm("121322", "Source image for image processing operation"),
} as const satisfies Record<string, Code>;
