/** What all objects of an answer have in common. */
import { VERSION } from "../version.ts";
import { type Elements, encodeDicom } from "./elements.ts";
import type { AnsweredStudy } from "./source.ts";

/** A DICOM object as a file. */
export interface DicomInstance {
  /** SOP Class UID. */
  readonly sopClass: string;
  /** SOP Instance UID, which files are called by. */
  readonly uid: string;
  /** The file, explicit little endian. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What every object says, in its header at least. */
export const NOT_FOR_DIAGNOSIS = "Not for diagnosis";

/** Who makes them. */
export const MANUFACTURER = "MRNet for Deno";

/** What tells an object from others of the study. */
export interface InstanceSpec {
  readonly sopClass: string;
  readonly uid: string;
  readonly seriesUid: string;
  readonly modality: "SR" | "OT";
  /** Those of scanners are smaller. */
  readonly seriesNumber: number;
  readonly instanceNumber: number;
  /** At most 64 characters. */
  readonly description: string;
  /** What made it. */
  readonly model: string;
  /** When it was made. */
  readonly now: Date;
}

/** An object of a study, with patient and study as its images have them, and elements of its own. */
export function dicomInstance(
  { uid: study, identity }: AnsweredStudy,
  spec: InstanceSpec,
  own: Elements,
): DicomInstance {
  const { sopClass, uid, now } = spec;
  const { date, time } = _moment(now, identity["0008,0201 SH"]);
  const bytes = encodeDicom({
    ...identity,
    "0020,000D UI": study,
    "0008,0016 UI": sopClass,
    "0008,0018 UI": uid,
    "0008,0023 DA": date,
    "0008,0033 TM": time,
    "0008,0060 CS": spec.modality,
    "0008,0070 LO": MANUFACTURER,
    "0008,103E LO": asciiText(spec.description, 64),
    "0008,1090 LO": asciiText(spec.model, 64),
    "0018,1020 LO": VERSION,
    "0020,000E UI": spec.seriesUid,
    "0020,0011 IS": String(spec.seriesNumber),
    "0020,0013 IS": String(spec.instanceNumber),
    ...own,
  });
  return { sopClass, uid, bytes };
}

/** A text as it can be written in every character set; what is not ASCII becomes `-`. */
export function asciiText(text: string, longest = Infinity): string {
  return [...text].map((letter) => /[ -[\]-~]/.test(letter) ? letter : "-").slice(0, longest).join(
    "",
  );
}

/** A code of a coding scheme. */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** A code as an item of a sequence. */
export function codeItem({ value, scheme, meaning }: Code): Elements {
  return { "0008,0100 SH": value, "0008,0102 SH": scheme, "0008,0104 LO": meaning };
}

/** Day and time, where the study's other times are: in its zone if it names one, else where this runs. */
function _moment(now: Date, zone: Elements[string]): { date: string; time: string } {
  const [, sign, hours, minutes] = zone instanceof Uint8Array
    ? /^([+-])(\d\d)(\d\d)$/.exec(String.fromCharCode(...zone))!
    : [];
  const ahead = sign === undefined
    ? -now.getTimezoneOffset()
    : (sign === "-" ? -1 : 1) * (60 * Number(hours) + Number(minutes));
  const text = new Date(now.getTime() + 60_000 * ahead).toISOString().replace(/[-:]/g, "");
  return { date: text.slice(0, 8), time: text.slice(9, 15) };
}
