/** How much is taken from a PACS. */

/** What a study and an answer may take. */
export interface PacsLimits {
  /**
   * The most bytes of a study.
   * @default 536_870_912
   */
  studyBytes: number;
  /**
   * The most files of a study.
   * @default 4096
   */
  files: number;
  /**
   * How long the service may send nothing, in milliseconds.
   * @default 60_000
   */
  silence: number;
  /**
   * How long an answer may take in all, in milliseconds.
   * @default 600_000
   */
  deadline: number;
}

/** The default limits. */
export const PACS_LIMITS: Readonly<PacsLimits> = {
  studyBytes: 512 * 1024 * 1024,
  files: 4096,
  silence: 60_000,
  deadline: 600_000,
};
