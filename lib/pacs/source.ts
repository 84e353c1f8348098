/** The study that an answer belongs to: whom it is of, and the images that were read. */
import { DataError } from "../errors.ts";
import type { DataSet } from "../imaging/dicom/dataset.ts";
import type { FoundSeries, ImageReference } from "../imaging/found_series.ts";
import type { Study } from "../imaging/studies.ts";
import type { Plane } from "../terms.ts";
import { copyIdentity, patientOf } from "./copied.ts";
import type { Elements } from "./elements.ts";

/** The images of a plane that were read. */
export interface AnsweredSeries {
  readonly plane: Plane;
  /** Series Instance UID. */
  readonly uid: string;
  /** In the order of the series. */
  readonly images: readonly ImageReference[];
}

/** The study that an answer belongs to. */
export interface AnsweredStudy {
  /** What it is called, for messages. */
  readonly name: string;
  /** Study Instance UID. */
  readonly uid: string;
  /** Who the patient is and which study it is, as the first image says it. */
  readonly identity: Elements;
  /** The keywords of what the images say and DICOM does not allow, such as `PatientName`. */
  readonly leftOut: readonly string[];
  /** Which knee, if all planes say the same one. */
  readonly side?: "R" | "L";
  /** A series for each plane that was read. */
  readonly series: readonly AnsweredSeries[];
}

/** What an identifier may be made of; that no number begins with 0 is what many scanners ignore. */
const UID = /^[\d.]{1,64}$/;

/**
 * What an answer about a study needs to know of it.
 *
 * @param planes which were read, for each of which a series was chosen
 * @throws {DataError} if its files are not DICOM, lack an identifier or are of several patients
 */
export async function answeredStudy(
  study: Study,
  planes: readonly Plane[],
): Promise<AnsweredStudy> {
  const chosen = planes.map((plane) => {
    const series = study.choices.find((choice) => choice.plane === plane)?.series;
    if (series === undefined) {
      throw _refused(study, `it has no ${plane} series, or several of which none was chosen`);
    }
    return { plane, series };
  });
  const headers = await Promise.all(chosen.map(({ series }) => _header(study, series)));
  const patients = new Set(headers.map(patientOf));
  if (patients.size > 1) throw _refused(study, "its series are of several patients");
  const { elements, leftOut } = copyIdentity(headers[0]);
  const uid = chosen[0].series.facts.study;
  return {
    name: study.name,
    uid: _checked(study, uid, "study"),
    identity: { ...elements, "0020,000D UI": uid },
    leftOut,
    side: _side(chosen.map(({ series }) => series.facts.side)),
    series: chosen.map(({ plane, series: { facts, dicom } }) => {
      const images = dicom!.images;
      for (const { sopClass, instance } of images) {
        _checked(study, instance, "image");
        _checked(study, sopClass, "kind of image");
      }
      return { plane, uid: _checked(study, facts.series, "series"), images };
    }),
  };
}

async function _header(study: Study, { dicom }: FoundSeries): Promise<DataSet> {
  if (dicom === undefined) {
    throw _refused(study, "its files are not DICOM, so there is no patient and no study to copy");
  }
  return (await dicom.header()).data;
}

function _checked(study: Study, uid: string, what: string): string {
  if (UID.test(uid)) return uid;
  throw _refused(
    study,
    uid === ""
      ? `its files do not identify their ${what}`
      : `'${uid}' is no identifier of its ${what}`,
  );
}

function _refused({ name }: Study, found: string): DataError {
  return new DataError(
    `Cannot write the answer of study '${name}' as DICOM: ${found}: give it as the scanner or the PACS ` +
      "exports it, or predict it without such an answer",
  );
}

/** The knee that all planes name; an image without a side contradicts nobody. */
function _side(sides: readonly string[]): "R" | "L" | undefined {
  const said = new Set(sides.filter((side) => side !== "" && side !== "U"));
  const [side] = said;
  return said.size === 1 && (side === "R" || side === "L") ? side : undefined;
}
