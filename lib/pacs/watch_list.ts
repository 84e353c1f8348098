/**
 * The studies of a watch, for a page to list: in memory, and with nothing of the patient but what the PACS
 * calls the study.
 */
import type { SeriesChoice } from "../imaging/choose.ts";
import type { ListedStudy } from "./dicomweb.ts";
import type { EngineTurns } from "./engine_turns.ts";
import type { WatchedStudy, WatchOutcome } from "./watch_state.ts";

/** A study of a watch. */
export interface WatchListEntry {
  /** Study Instance UID. */
  readonly study: string;
  /** What came of it; `reading` while the models read it. */
  readonly outcome: WatchOutcome | "reading";
  /** When that was, as in `2026-01-31T14:02:09.000Z`. */
  readonly at: string;
  /** Its day, as in `20260131`; empty if nothing is said. */
  readonly date: string;
  /** What the PACS calls it; empty if nothing is said. */
  readonly description: string;
  /** The probability that each of {@linkcode WatchList.models} gave, if that is known. */
  readonly answers?: readonly number[];
  /** Why no answer can be made of it, in a line, if this watch found it out. */
  readonly why?: string;
}

/** What is new of a study. */
export type WatchListNews =
  & Pick<WatchListEntry, "outcome" | "why" | "answers">
  & Partial<Pick<WatchListEntry, "at">>;

/** So many studies are listed; the oldest give way. */
const MAX_LISTED = 2000;

/**
 * The studies of knees that a watch has found, newest last. A watch fills it ({@linkcode WatchOptions.list}),
 * and a viewer shows it ({@linkcode ViewerOptions.watch}).
 */
export class WatchList {
  /** The SHA-256 of the models' files, in the order of the answers. */
  models: readonly string[] = [];
  /** Which series are meant if several could be. */
  series: readonly SeriesChoice[] = [];
  /** Whether the PACS failed when it was last asked for studies. */
  isDown = false;
  /** Whose turn the engine is, if others use it too. */
  turns?: EngineTurns;
  readonly #entries = new Map<string, WatchListEntry>();
  readonly #revisions = new Map<string, number>();
  // Later than any of a process before, so that whoever asked that one is told of everything.
  #revision = Date.now();

  /** A number that grows with each change. */
  get revision(): number {
    return this.#revision;
  }

  /** A study, if it is listed. */
  get(study: string): WatchListEntry | undefined {
    return this.#entries.get(study);
  }

  /** The studies that have changed after a revision; all by default. */
  changes(after = 0): WatchListEntry[] {
    return [...this.#entries.values()].filter(({ study }) => this.#revisions.get(study)! > after);
  }

  /** Takes over what was done before, as far as it is not listed. */
  begin(studies: Iterable<readonly [string, WatchedStudy]>): void {
    const done = [...studies].filter(([study, { outcome }]) =>
      outcome !== "other" && !this.#entries.has(study)
    );
    done.sort(([, a], [, b]) => a.at < b.at ? -1 : 1);
    for (const [study, { outcome, at, answers }] of done.slice(-MAX_LISTED)) {
      this.#put({ study, outcome, at, answers, date: "", description: "" });
    }
  }

  /** What came of a study, now if nothing else is said. */
  set({ study, date, description }: ListedStudy, news: WatchListNews): void {
    this.#put({ study, date, description, at: new Date().toISOString(), ...news });
  }

  /** What a study is called, if it is listed. */
  describe({ study, date, description }: ListedStudy): void {
    const entry = this.#entries.get(study);
    if (entry === undefined) return;
    if (entry.date === date && entry.description === description) return;
    this.#put({ ...entry, date, description });
  }

  #put(entry: WatchListEntry): void {
    const { study } = entry;
    this.#entries.set(study, entry);
    this.#revisions.set(study, ++this.#revision);
    if (this.#entries.size <= MAX_LISTED) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest);
    this.#revisions.delete(oldest);
  }
}
