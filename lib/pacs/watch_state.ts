/**
 * What a watch has done, in a file that is written whole after each study: a watch that was killed goes on
 * where it was. One process at a time has the folder.
 */
import { DataError, OptionError } from "../errors.ts";
import { isMissing, join, makeFolder, readBytes, removeLeftOvers, writeWhole } from "../files.ts";
import { describeHolder, lockRun, type RunLock } from "../logs/run_lock.ts";
import { shortened } from "../quoted.ts";
import { z } from "../zod.ts";
import { dayBefore, isDay } from "./day.ts";

/**
 * What came of a study: `answered`; `refused`, since no answer can be made of it; `other`, since it is not of
 * a knee; `failed`, since the PACS failed too often; `again`, since it failed and is tried again.
 */
export type WatchOutcome = "answered" | "refused" | "other" | "failed" | "again";

/** What is known of a study. */
export interface WatchedStudy {
  /** What came of it. */
  outcome: WatchOutcome;
  /** When that was. */
  at: string;
  /** How often it was tried, if it failed. */
  tries?: number;
  /** The probability that each model gave, if it is to be found again. */
  answers?: number[];
}

/** What a watch is about: what was done for one of them is not done for another. */
export interface WatchSubject {
  /** The address of the PACS. */
  dicomweb: string;
  /** The hashes of the models' files. */
  models: readonly string[];
  /** Whether answers are stored. */
  store: boolean;
}

/** A list, refused at its first wrong value: an array's schema makes an error for each of millions. */
const listOf = <T>(check: (value: unknown) => value is T) =>
  z.custom<T[]>((list) => Array.isArray(list) && list.every(check));
const isText = (value: unknown) => typeof value === "string";
const isProbability = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= 1;

const ENTRY: z.ZodType<WatchedStudy> = z.object({
  outcome: z.enum(["answered", "refused", "other", "failed", "again"]),
  at: z.string(),
  tries: z.number().int().min(0).optional(),
  answers: listOf(isProbability).optional(),
});
const STATE = z.object({
  format: z.literal(1),
  dicomweb: z.string(),
  models: listOf(isText),
  store: z.boolean(),
  since: z.string().refine(isDay),
  studies: z.record(z.string(), z.unknown()),
});

/** What the file holds. */
type Kept = WatchSubject & { since: string; studies: Map<string, WatchedStudy> };

/** The file in the folder. */
const FILE = "watch.json";
const WHAT = "go on with the watch of";
/** It grows by some 150 bytes a study; this is half a million. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The state of a watch. */
export class WatchState implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: RunLock;
  readonly #subject: WatchSubject;
  readonly #studies: Map<string, WatchedStudy>;
  readonly #isFixed: boolean;
  #since: string;

  private constructor(
    { path, lock, isFixed }: { path: string; lock: RunLock; isFixed: boolean },
    { since, studies, ...subject }: Kept,
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#isFixed = isFixed;
    this.#since = since;
    this.#subject = subject;
    this.#studies = studies;
  }

  /**
   * Takes a folder, which is made, and reads what was done there before.
   *
   * @param since the first day, which then stays; without it that of the file, or today
   * @throws {OptionError} if another process has the folder, or it is of another watch
   * @throws {DataError} if its file is none
   * @throws {OutputError} if it cannot be written
   */
  static async open(folder: string, subject: WatchSubject, since?: string): Promise<WatchState> {
    await makeFolder(folder);
    const lock = await lockRun(folder);
    if (lock === undefined) {
      throw new OptionError(
        `Cannot watch with '${folder}': another process does${await describeHolder(
          folder,
        )}: let it end, ` +
          "or give another folder",
      );
    }
    try {
      await removeLeftOvers(folder, { age: 0 });
      const path = join(folder, FILE);
      const before = await _read(path);
      if (before !== undefined) _checkSubject(path, before, subject);
      const kept = before ?? { ...subject, since: dayBefore(0), studies: new Map() };
      const isFixed = since !== undefined;
      const state = new WatchState({ path, lock, isFixed }, {
        ...kept,
        since: since ?? kept.since,
      });
      if (state.since !== before?.since) await state.#save();
      return state;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock.release();
  }

  /** Studies from this day on are asked for, `20260131`. */
  get since(): string {
    return this.#since;
  }

  /** Lets days before a day be; changes nothing if the first day was given, or is a later one. */
  async advance(day: string): Promise<void> {
    if (this.#isFixed || day <= this.#since) return;
    this.#since = day;
    await this.#save();
  }

  /** True for a study that is not to be looked at any more. */
  isDone(study: string): boolean {
    return (this.#studies.get(study)?.outcome ?? "again") !== "again";
  }

  /** How often a study has failed. */
  tries(study: string): number {
    return this.#studies.get(study)?.tries ?? 0;
  }

  /** What is known of the studies. */
  get studies(): ReadonlyMap<string, WatchedStudy> {
    return this.#studies;
  }

  /**
   * Keeps what came of a study, before the next one is begun.
   *
   * @returns when that was
   */
  async mark(
    study: string,
    outcome: WatchOutcome,
    kept: Pick<WatchedStudy, "tries" | "answers"> = {},
  ): Promise<string> {
    await this.#lock.check();
    const at = new Date().toISOString();
    this.#studies.set(study, { outcome, at, ...kept });
    await this.#save();
    return at;
  }

  async #save(): Promise<void> {
    const { dicomweb, models, store } = this.#subject;
    const studies = Object.fromEntries(this.#studies);
    const state = { format: 1, dicomweb, models, store, since: this.#since, studies };
    await writeWhole(this.#path, `${JSON.stringify(state, undefined, 1)}\n`);
  }
}

async function _read(path: string): Promise<Kept | undefined> {
  if (await isMissing(path)) return undefined;
  const action = { what: WHAT, path, access: "read", error: DataError } as const;
  return decodeWatchState(await readBytes(action, { most: MAX_BYTES }), path);
}

/**
 * Reads the bytes of the file.
 *
 * @throws {DataError} if it is not what a watch has written
 */
export function decodeWatchState(bytes: Uint8Array, path: string): Kept {
  try {
    const { format: _, ...state } = STATE.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const studies = new Map<string, WatchedStudy>();
    for (const [study, entry] of Object.entries(state.studies)) {
      studies.set(study, ENTRY.parse(entry));
    }
    return { ...state, studies };
  } catch {
    throw new DataError(
      `Cannot ${WHAT} '${path}': it is not what a watch has written: move it away, and all studies are ` +
        "read again",
    );
  }
}

function _checkSubject(path: string, before: WatchSubject, subject: WatchSubject): void {
  const differs = before.dicomweb !== subject.dicomweb
    ? `it is of the PACS at ${shortened(before.dicomweb, 200)}`
    : before.models.join() !== subject.models.join()
    ? "it is of other models"
    : before.store !== subject.store
    ? `its answers were ${before.store ? "" : "not "}stored`
    : undefined;
  if (differs === undefined) return;
  throw new OptionError(
    `Cannot go on with the watch of '${path}': ${differs}: give the same options, or another folder`,
  );
}
