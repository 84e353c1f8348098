/** What a request has sent, from when it is in memory until it is answered. */
import type { Body, Budget } from "./body.ts";
import type { Content } from "./content.ts";
import type { Deadline } from "./deadline.ts";
import { decodeExam, type SentExams } from "./exams.ts";
import type { ServeLimits } from "./options.ts";
import { busy } from "./problem.ts";
import { type Positions, studyTurns } from "./queue.ts";
import { readStudy, type StudyQuestion } from "./study.ts";

/** What an upload shares with others, and what it is disposed of with. */
export interface UploadOptions {
  limits: ServeLimits;
  /** Bytes of all uploads. */
  budget: Budget;
  /** Positions of requests that wait for the engine. */
  exams: Positions;
  /** Positions of studies that wait to be read: they keep no exam out. */
  studies: Positions;
}

/**
 * A request's exams. `.npy` files are not decoded until they are asked for: decoded they take several
 * times the memory, so one is at a time. A study is read before, for that takes long, and no engine.
 */
export class Upload implements Disposable {
  readonly #options: UploadOptions;
  #body: Disposable;
  #position: Disposable;
  #content: Content | undefined;
  #study: SentExams | undefined;

  /**
   * @param body the bytes in memory
   * @param content what they are
   * @throws {Problem} 429 if too many wait already
   */
  constructor(body: Body, content: Content, options: UploadOptions) {
    this.#body = body;
    this.#content = content;
    this.#options = options;
    this.#position = (content.kind === "study" ? options.studies : options.exams).take();
  }

  /**
   * Reads the exams of a study, when no other study is being read; there is nothing to do for others. The
   * body is then let go, and the exams are counted in its place.
   *
   * @throws {Problem} as {@linkcode readStudy}; 503 if there is no room for the exams, 429 if too many wait
   *   for the engine
   * @throws the deadline's reason if that comes first
   */
  async readStudy(question: StudyQuestion, deadline: Deadline): Promise<void> {
    if (this.#content?.kind !== "study") return;
    const { files, series } = this.#content;
    const { limits, budget, exams: waiting } = this.#options;
    const { signal } = deadline;
    const asked = { ...question, series: [...series, ...question.series ?? []] };
    const exams = await deadline.wait(
      studyTurns.take(() => readStudy(files, asked, { limits, signal }), deadline),
    );
    this.#body[Symbol.dispose]();
    this.#content = undefined;
    const bytes = exams.planes.values().reduce((sum, { voxels }) => sum + voxels.byteLength, 0);
    if (!budget.take(bytes)) {
      this.#body = { [Symbol.dispose]() {} };
      throw busy();
    }
    this.#body = { [Symbol.dispose]: () => budget.give(bytes) };
    this.#study = exams;
    this.#position[Symbol.dispose]();
    this.#position = waiting.take();
  }

  /**
   * The exams; `.npy` files are decoded, which is to be done when the engine is free.
   *
   * @throws {Problem} 422 if a file is no exam, or too large a one
   */
  exams(): SentExams {
    const { limits } = this.#options;
    if (this.#content?.kind === "exam") {
      return { alone: decodeExam(this.#content.bytes, "body", limits) };
    }
    if (this.#content?.kind !== "planes") return this.#study!;
    const { planes } = this.#content;
    return {
      planes: new Map(
        planes.entries().map(([plane, bytes]) => [plane, decodeExam(bytes, plane, limits)]),
      ),
    };
  }

  [Symbol.dispose](): void {
    this.#position[Symbol.dispose]();
    this.#body[Symbol.dispose]();
  }
}
