/**
 * What the phantom is made of, and how bright each tissue is in each of MRNet's three series:
 * sagittal T2-weighted with fat suppression, coronal T1-weighted, axial proton density with fat
 * suppression.
 */

/** How a tissue looks. */
interface Look {
  /** Signal in the sagittal series, 1 being the brightest fluid. */
  readonly sagittal: number;
  /** Signal in the coronal series. */
  readonly coronal: number;
  /** Signal in the axial series. */
  readonly axial: number;
  /** How much its texture changes the signal, as a share of it. */
  readonly grain: number;
  /** Whether the texture is one of fibres along the leg. */
  readonly fibrous: boolean;
}

function look(sagittal: number, coronal: number, axial: number, grain = 0, fibrous = false): Look {
  return { sagittal, coronal, axial, grain, fibrous };
}

/** Every tissue and its look. */
export const TISSUES = {
  skin: look(0.5, 0.4, 0.53),
  fat: look(0.36, 0.84, 0.39, 0.24),
  muscle: look(0.53, 0.36, 0.6, 0.22, true),
  fascia: look(0.14, 0.22, 0.16),
  cortex: look(0.03, 0.05, 0.04),
  marrow: look(0.31, 0.69, 0.34, 0.28),
  cartilage: look(0.72, 0.42, 0.77, 0.1),
  meniscus: look(0.06, 0.09, 0.09),
  ligament: look(0.11, 0.17, 0.14, 0.6),
  tendon: look(0.05, 0.08, 0.07, 0.3, true),
  synovium: look(0.52, 0.46, 0.55, 0.25),
  fluid: look(0.98, 0.27, 0.96),
  oedema: look(0.8, 0.35, 0.82, 0.15),
  tear: look(0.9, 0.33, 0.9, 0.1),
  frayed: look(0.58, 0.33, 0.6, 0.4),
  artery: look(0.05, 0.07, 0.08),
  vein: look(0.68, 0.3, 0.72),
  nerve: look(0.5, 0.45, 0.55),
} as const satisfies Record<string, Look>;

/** The name of a tissue. */
export type Tissue = keyof typeof TISSUES;
