/** What others need who use the engine of the process too. */

/** Turns of the engine. */
export interface EngineTurns {
  /** Does some work when nobody else uses the engine. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Awaited between two chunks of work, so that others are answered meanwhile. */
  between(): Promise<void>;
}
