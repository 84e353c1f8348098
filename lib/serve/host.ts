/** The interface of the service to its routes, and so to the viewer. */
import type { Classifier } from "../classifier/classifier.ts";
import type { Deadline } from "./deadline.ts";
import type { ResolvedOptions } from "./options.ts";
import type { TurnOptions } from "./queue.ts";
import type { Upload } from "./upload.ts";

/** What answers a request of some path. */
export interface Route {
  /** The methods it knows; `GET` brings `HEAD` along. */
  method: "GET" | "POST";
  /** Whether it answers without the token. */
  open?: boolean;
  /** Whether its answer waits for the engine; all others go before the engine. */
  queued?: boolean;
  answer(request: Request, url: URL): Response | Promise<Response>;
}

/** A task of the engine. Now and then it awaits `between`, which lets other requests have their turn. */
export type EngineTask<T> = (between: () => Promise<void>) => Promise<T>;

/** The service as the viewer sees it. */
export interface Host {
  /** What it was made with. */
  readonly options: ResolvedOptions;
  /** Fires when the service stops: endless answers then end. */
  readonly stopping: AbortSignal;

  /**
   * The models.
   *
   * @throws {Problem} 503 if they cannot be loaded; the next request tries again
   */
  models(): Promise<Classifier[]>;

  /**
   * Runs a task on the engine when that is free, unless the signal fires before.
   *
   * @throws {Problem} 422 if nothing can be computed of the exam; 503 if the engine fails; 429 if its
   *   turn would come too late
   * @throws the signal's reason if that fires
   */
  compute<T>(task: EngineTask<T>, options: TurnOptions): Promise<T>;

  /**
   * Answers a request that needs the engine, under the limits: the queue has room for it, and it is done
   * in time.
   *
   * @throws {Problem} 429 if the queue is full, 503 if time is up
   */
  queued<T>(request: Request, use: (deadline: Deadline) => Promise<T>): Promise<T>;

  /** Takes in a request's exams, under the limits. */
  upload(request: Request, deadline: Deadline): Promise<Upload>;

  /**
   * A study of the PACS as if it had been sent.
   *
   * @param most bytes of it; by default those of a body
   * @throws {Problem} 400 if there is no PACS; 502 if it does not give the study, 503 if there is no room
   */
  fetchStudy(study: string, deadline: Deadline, most?: number): Promise<Upload>;

  /**
   * The body of an answer, sent as it is read.
   *
   * @param bytes what it takes until then
   * @param next the next bytes of it; nothing at its end
   * @param free told once when it is sent, or given up
   * @throws {Problem} 503 if too much waits to be sent already
   */
  outgoing(
    bytes: number,
    next: () => Uint8Array | undefined,
    free?: () => void,
  ): ReadableStream<Uint8Array>;

  /** An answer in JSON; a large one is sent as it is read. */
  json(value: unknown): Response;
}
