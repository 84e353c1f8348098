/**
 * When somebody last used the viewer's page. The list is read in the background only in pauses: the models
 * compute on the same processor that draws the page, if browser and service are on one machine.
 */

/** How long nobody must have used the page, in milliseconds. */
const QUIET_MS = 400;

/** How often a wait looks whether it is over, in milliseconds. */
const LOOK_MS = 50;

/** The use of the page. */
export class PageUse {
  readonly #quiet: number;
  #at = -Infinity;

  /** @param quiet how long nobody must have used the page for a pause, in milliseconds */
  constructor(quiet: number = QUIET_MS) {
    this.#quiet = quiet;
  }

  /** Somebody uses it now. */
  note(): void {
    this.#at = performance.now();
  }

  /**
   * Waits for a pause.
   *
   * @param signal ends the wait
   * @param isAwaited whether somebody waits for what waits here, which ends the wait too
   */
  async pause(signal: AbortSignal, isAwaited: () => boolean = () => false): Promise<void> {
    while (this.#isInUse && !signal.aborted && !isAwaited()) await this.moment();
  }

  /** Waits a moment if the page is in use: whatever takes several such steps leaves it most of the time. */
  async moment(): Promise<void> {
    if (this.#isInUse) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  get #isInUse(): boolean {
    return performance.now() - this.#at < this.#quiet;
  }
}
