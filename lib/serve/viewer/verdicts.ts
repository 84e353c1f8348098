/**
 * Keeps the models' answers about exams. The key of an answer is the model's file, how it is used, and
 * the bytes of the exam. A change of either makes another key, so no old answer is ever shown.
 *
 * With a folder the answers outlive the service: there is a file for each model, and one with the hashes
 * of a dataset's files, so that these need not be read again. Without a folder, or if it cannot be read
 * or written, answers are in memory only.
 */
import type { Classifier } from "../../classifier/classifier.ts";
import { messageOf, OutputError, PermissionError } from "../../errors.ts";
import { join, sha256Of } from "../../files.ts";
import type { Plane } from "../../terms.ts";
import { VERSION } from "../../version.ts";
import { type Hashed, type HashMemory, isHashed, rememberedHash } from "./file_hashes.ts";
import { KeptMap } from "./kept_map.ts";

/** A model's answer: the probability of the finding, in 0–1, and its logit. */
export type Kept = [probability: number, logit: number];

/** How long new answers may be in memory only, in milliseconds. */
const SAVED_EVERY = 10_000;

/** Whether a value from a file is an answer. */
export function isKept(value: unknown): value is Kept {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) &&
    value[0] >= 0 && value[0] <= 1;
}

/** Where answers are kept. */
export interface VerdictsOptions {
  /**
   * A folder for their files, made when it is needed.
   * @default none, in memory
   */
  folder?: string;
  /** The dataset's folder. */
  data?: string;
  /** Called once with the reason if they cannot be kept. */
  onFault?: (error: unknown) => void;
}

/** The SHA-256 of an exam's file in each plane. */
export type ExamHashes = ReadonlyMap<Plane, string>;

/** The kept answers. */
export class Verdicts {
  readonly #options: VerdictsOptions;
  readonly #models = new Map<string, Promise<KeptMap<Kept>>>();
  #hashes: Promise<KeptMap<Hashed>> | undefined;
  #mayRead: Promise<boolean> | undefined;
  #mayWrite: Promise<boolean> | undefined;
  #saved = performance.now();
  #saving: Promise<void> | undefined;
  #told = false;

  /** @param options where they are kept */
  constructor(options: VerdictsOptions) {
    this.#options = options;
  }

  /** The SHA-256 of an exam's files, which are read only if they are new or have changed. */
  async hashesOf(files: ReadonlyMap<Plane, string>, signal?: AbortSignal): Promise<ExamHashes> {
    const map = await (this.#hashes ??= this.#openHashes());
    const { data = "" } = this.#options;
    // By their path in the dataset, whatever it is called from where this was started.
    const key = (path: string) => path.startsWith(data) ? path.slice(data.length) : path;
    const memory: HashMemory = {
      get: (path) => map.get(key(path)),
      set: (path, hashed) => map.set(key(path), hashed),
    };
    const hashes = new Map<Plane, string>();
    for (const [plane, path] of files) {
      hashes.set(plane, await rememberedHash(path, memory, signal));
    }
    return hashes;
  }

  /** What a model said about an exam that has all its planes. */
  async get(model: Classifier, exam: ExamHashes): Promise<Kept | undefined> {
    return (await this.#of(model)).get(_examKey(model, exam));
  }

  /** Remembers what a model said, and writes it now and then. */
  async set(model: Classifier, exam: ExamHashes, kept: Kept): Promise<void> {
    if (!isKept(kept)) return;
    (await this.#of(model)).set(_examKey(model, exam), kept);
    // Nobody waits for it; it reports its own failures.
    if (performance.now() - this.#saved > SAVED_EVERY) this.save();
  }

  /** Writes what is not written yet. */
  async save(): Promise<void> {
    // One save at a time: a caller that waits may have more to write.
    while (this.#saving !== undefined) await this.#saving;
    this.#saving = this.#save();
    await this.#saving;
    this.#saving = undefined;
  }

  async #save(): Promise<void> {
    this.#saved = performance.now();
    if (!await this.#writable()) return;
    const maps = [...this.#models.values(), ...(this.#hashes === undefined ? [] : [this.#hashes])];
    for (const map of maps) {
      try {
        await (await map).save();
      } catch (error) {
        this.#mayWrite = Promise.resolve(false);
        return this.#tell(error);
      }
    }
  }

  #of(model: Classifier): Promise<KeptMap<Kept>> {
    const about = `${VERSION} ${_identity(model)}`;
    const before = this.#models.get(about);
    if (before !== undefined) return before;
    const opened = this.#open({ kind: "verdicts", about, check: isKept });
    this.#models.set(about, opened);
    return opened;
  }

  async #openHashes(): Promise<KeptMap<Hashed>> {
    const { data = "" } = this.#options;
    const about = await Deno.realPath(data).catch(() => data);
    return await this.#open({ kind: "exams", about, check: isHashed });
  }

  async #open<V>(
    { kind, about, check }: { kind: string; about: string; check(value: unknown): value is V },
  ): Promise<KeptMap<V>> {
    const name = (await sha256Of(new TextEncoder().encode(about))).slice(0, 16);
    const { folder = "." } = this.#options;
    const map = new KeptMap<V>({ path: join(folder, `${kind}-${name}.json`), about, check });
    // Asked at once, so that a missing permission is reported at the start, not after an hour.
    await this.#writable();
    if (!await this.#readable()) return map;
    try {
      await map.load();
    } catch (error) {
      this.#mayWrite = Promise.resolve(false);
      this.#tell(error);
    }
    return map;
  }

  #readable(): Promise<boolean> {
    return this.#mayRead ??= this.#may("read");
  }

  #writable(): Promise<boolean> {
    return this.#mayWrite ??= this.#readable().then((readable) => readable && this.#may("write"));
  }

  /** Whether Deno has the permission; the user is not asked for it. */
  async #may(name: "read" | "write"): Promise<boolean> {
    const { folder } = this.#options;
    if (folder === undefined) return false;
    const { state } = await Deno.permissions.query({ name, path: folder });
    if (state === "granted") return true;
    this.#tell(
      new PermissionError(
        `Deno has no permission for it: run again with --allow-${name}=${folder}`,
      ),
    );
    return false;
  }

  #tell(error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    const { folder, onFault } = this.#options;
    const why = messageOf(error);
    const Kind = error instanceof PermissionError ? PermissionError : OutputError;
    onFault?.(new Kind(`Cannot keep what the models say of the list in '${folder}': ${why}`));
  }
}

/** Everything that a model's answer depends on, except the exam. */
function _identity({ kind, sha256, card: { plane, intensity } }: Classifier): string {
  return kind === "single" ? `${sha256} ${plane} ${intensity}` : sha256;
}

function _examKey({ planes }: Classifier, exam: ExamHashes): string {
  return planes.map((plane) => exam.get(plane)).join("+");
}
