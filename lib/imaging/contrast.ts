/**
 * What a series' tissues look like, guessed by its times, and whether MRNet's series of its plane look
 * so: sagittal T2 with fat suppression, coronal T1, axial proton density with fat suppression (Bien et
 * al. 2018, PLOS Medicine 15(11), e1002699).
 */
import type { Plane } from "../terms.ts";
import type { Series } from "./series.ts";

/** What the contrast of a series goes by. */
export type Weighting = "T1" | "T2" | "proton density";

/** What a series looks like. */
export interface Contrast {
  readonly weighting: Weighting;
  readonly fatSuppressed: boolean;
}

/** MRNet's series. */
const MRNET: Readonly<Record<Plane, Contrast>> = {
  sagittal: { weighting: "T2", fatSuppressed: true },
  coronal: { weighting: "T1", fatSuppressed: false },
  axial: { weighting: "proton density", fatSuppressed: true },
};

/** From this echo time on a series is T2-weighted, in milliseconds. */
const T2_ECHO = 50;
/** Below this repetition time it is T1-weighted, in milliseconds. */
const T1_REPETITION = 1000;

/** What the times of a spin echo say; `undefined` if one of them is not known. */
export function weightingOf(
  echoTime: number | undefined,
  repetitionTime: number | undefined,
): Weighting | undefined {
  if (echoTime === undefined || repetitionTime === undefined) return undefined;
  if (echoTime >= T2_ECHO) return "T2";
  return repetitionTime < T1_REPETITION ? "T1" : "proton density";
}

/** Says if a series looks otherwise than MRNet's of its plane; nothing if that cannot be told. */
export function contrastRemark({ slices, plane }: Series): string | undefined {
  const [{ instance, frame }] = slices;
  const { echoTime, repetitionTime } = frame;
  // The times of other sequences mean something else.
  const isSpinEcho = /\bSE\b/.test(frame.sequence) && !/\bGR\b/.test(frame.sequence);
  const weighting = isSpinEcho ? weightingOf(echoTime, repetitionTime) : undefined;
  if (plane === undefined || weighting === undefined) return undefined;
  const fatSuppressed = /\b(FS|FATSAT|SFS|WE)\b/i.test(frame.options) ||
    /\bIR\b/.test(frame.sequence) ||
    /(\b|_)(fs|fat.?sat|stir|spair|spir|dixon|tirm)(\b|_)/i.test(instance.description);
  const times = `TE ${echoTime} ms, TR ${repetitionTime} ms`;
  return contrastDifference(plane, { weighting, fatSuppressed }, times);
}

/**
 * Says if a contrast is not that of MRNet's series of a plane.
 *
 * @param because what the contrast goes by
 */
export function contrastDifference(
  plane: Plane,
  contrast: Contrast,
  because: string,
): string | undefined {
  const usual = MRNET[plane];
  if (_words(contrast) === _words(usual)) return undefined;
  return `it looks like ${_words(contrast)} (${because}), MRNet's ${plane} series are ` +
    _words(usual);
}

function _words({ weighting, fatSuppressed }: Contrast): string {
  return `${weighting} ${fatSuppressed ? "with" : "without"} fat suppression`;
}
