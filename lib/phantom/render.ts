/** Renders one made-up exam: one knee, seen in three planes. */
import { OptionError } from "../errors.ts";
import { createRandom } from "../random.ts";
import { type Plane, PLANES, TASKS } from "../terms.ts";
import { acquire, drawReceiver } from "./acquire.ts";
import { type Anatomy, drawAnatomy } from "./anatomy.ts";
import { createGrain, type Grain } from "./grain.ts";
import { drawInjuries, type Findings, type Injuries } from "./injuries.ts";
import { type Cut, type Layer, paint } from "./paint.ts";
import { buildScene } from "./scene.ts";
import { cutAt, layOut, type SeriesGeometry } from "./series.ts";

/** Which exam to render, and how large. */
export interface PhantomOptions {
  /** Whole number from which everything random is drawn. */
  readonly seed: number;
  /**
   * Name or number of the exam: exams of one seed with different names are different knees.
   *
   * @default {0}
   */
  readonly exam?: string | number;
  /** Which findings the knee has. A tear makes the knee abnormal. */
  readonly findings: Findings;
  /** Rows and columns of a slice, 64 to 1024. */
  readonly size: number;
  /** Number of slices, the same for all planes or one number for each; 1 to 512. */
  readonly slices: number | Readonly<Record<Plane, number>>;
}

/** One series of a made-up exam. */
export interface PhantomSeries extends SeriesGeometry {
  /** Grey values 0 to 255, `[slices, size, size]`. */
  readonly voxels: Uint8Array<ArrayBuffer>;
}

/** A made-up exam: its three series, and what is known of the knee. */
export interface PhantomExam extends Readonly<Record<Plane, PhantomSeries>> {
  /** The measures of the knee. */
  readonly anatomy: Anatomy;
  /** What is wrong with it. */
  readonly injuries: Injuries;
}

/** Most samples through the thickness of a slice; their average shows partial volume. */
const MAX_SAMPLES = 4;
/** Thickness that one sample stands for, mm; coarser pixels need no finer samples. */
const SAMPLE_THICKNESS = 1.5;

/** Size of a grain across, and length of a fibre, mm. */
const GRAIN_SIZE = 1.15;
const FIBRE_LENGTH = 7;

/**
 * Renders a made-up exam. The same options give the same bytes on every machine, and the same knee
 * with other findings differs only where the injuries are: shape, position, coil and noise stay.
 *
 * @param options which exam, which findings, which size
 * @returns three series `[slices, size, size]` of grey values 0 to 255
 * @throws {OptionError} if an option is out of range, or a torn knee is called normal
 *
 * @example
 * ```ts
 * import { renderPhantom } from "./render.ts";
 * const findings = { abnormal: 1, acl: 1, meniscus: 0 } as const;
 * const exam = renderPhantom({ seed: 7, findings, size: 64, slices: 5 });
 * console.assert(exam.sagittal.voxels.length === 5 * 64 * 64);
 * ```
 */
export function renderPhantom(options: PhantomOptions): PhantomExam {
  const { seed, exam = 0, findings, size } = options;
  checkSeed(seed);
  checkSize(size);
  _checkFindings(findings);
  const stream = (...path: (string | number)[]) => createRandom(seed, "phantom", exam, ...path);
  const anatomy = drawAnatomy(stream("anatomy"));
  const injuries = drawInjuries(findings, (kind) => stream("injury", kind));
  const scene = buildScene(anatomy, injuries);
  const grain = createGrain(stream("grain"));
  const render = (plane: Plane): PhantomSeries => {
    const slices = typeof options.slices === "number" ? options.slices : options.slices[plane];
    checkSlices(slices);
    const geometry = layOut(plane, slices, size, stream("geometry", plane));
    const receiver = drawReceiver(stream("receiver", plane));
    const voxels = new Uint8Array(slices * size * size);
    const buffers = _allocate(size);
    for (let slice = 0; slice < slices; slice++) {
      const signal = _signal(geometry, anatomy, scene, slice, grain, buffers);
      const out = voxels.subarray(slice * size * size, (slice + 1) * size * size);
      acquire(signal, size, receiver, stream("rows", plane, slice), out);
    }
    return { ...geometry, voxels };
  };
  const [axial, coronal, sagittal] = PLANES.map(render);
  return { axial, coronal, sagittal, anatomy, injuries };
}

/** What one slice after the other is made in. */
type Buffers = Pick<Cut, "values" | "grains" | "fibres"> & { signal: Float32Array };

function _allocate(size: number): Buffers {
  const make = () => new Float32Array(size * size);
  return { signal: make(), values: make(), grains: make(), fibres: make() };
}

/** The noiseless signal of a slice, `[size, size]`: the mean of several cuts through its thickness. */
function _signal(
  geometry: SeriesGeometry,
  anatomy: Anatomy,
  scene: readonly Layer[],
  slice: number,
  grain: Grain,
  { signal, ...painted }: Buffers,
): Float32Array {
  const { plane, sliceThickness, sliceSpacing } = geometry;
  const step = Math.max(SAMPLE_THICKNESS, 1.3 * geometry.pixelSpacing);
  const samples = Math.min(Math.max(Math.round(sliceThickness / step), 2), MAX_SAMPLES);
  signal.fill(0);
  for (let sample = 0; sample < samples; sample++) {
    const aside = ((sample + 0.5) / samples - 0.5) * (sliceThickness / sliceSpacing);
    const cut = { ...cutAt(geometry, anatomy, slice + aside), ...painted };
    for (const buffer of Object.values(painted)) buffer.fill(0);
    for (const layer of scene) paint(cut, layer, plane);
    for (let at = 0; at < signal.length; at++) signal[at] += painted.values[at] / samples;
  }
  _texture(signal, { ...cutAt(geometry, anatomy, slice), ...painted }, grain);
  return signal;
}

/** Adds the texture, which is sampled once: averaged through the slice it would fade away. */
function _texture(signal: Float32Array, cut: Cut, grain: Grain): void {
  const { size, origin, across, down, grains, fibres } = cut;
  // Pixels wider than a grain average it.
  const strength = Math.min(1, GRAIN_SIZE / cut.pixel);
  const g = 1 / GRAIN_SIZE;
  for (let row = 0; row < size; row++) {
    let x = origin[0] + row * down[0];
    let y = origin[1] + row * down[1];
    let z = origin[2] + row * down[2];
    for (let at = row * size; at < (row + 1) * size; at++) {
      if (grains[at] > 0.002) signal[at] += strength * grains[at] * grain(x * g, y * g, z * g);
      if (fibres[at] > 0.002) {
        signal[at] += strength * fibres[at] * grain(x * g, y * g, z / FIBRE_LENGTH);
      }
      if (signal[at] < 0) signal[at] = 0;
      x += across[0];
      y += across[1];
      z += across[2];
    }
  }
}

/** Refuses a torn knee that is called normal. */
function _checkFindings(findings: Findings): void {
  const torn = TASKS.find((task) => findings[task] === 1);
  if (torn === undefined || findings.abnormal === 1) return;
  throw new OptionError(
    `Cannot make a phantom with '${torn}' 1 and 'abnormal' 0: a torn knee is abnormal`,
  );
}

/** Refuses a seed that is not a whole number. */
export function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed)) return;
  throw new OptionError(`Cannot make phantoms from the seed ${seed}: it must be a whole number`);
}

/** Refuses a size that is not a whole number from 64 to 1024. */
export function checkSize(size: number): void {
  if (Number.isInteger(size) && size >= 64 && size <= 1024) return;
  throw new OptionError(
    `Cannot make phantoms of size ${size}: it must be a whole number from 64 to 1024`,
  );
}

/** Refuses a number of slices that is not a whole number from 1 to 512. */
export function checkSlices(slices: number): void {
  if (Number.isInteger(slices) && slices >= 1 && slices <= 512) return;
  throw new OptionError(
    `Cannot make phantoms with ${slices} slices: it must be a whole number from 1 to 512`,
  );
}
