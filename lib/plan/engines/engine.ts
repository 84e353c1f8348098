/**
 * What does the units of a plan elsewhere: a scheduler or a queue that exists. It queues, places, tries
 * again and keeps to dependencies; this toolkit has the units, their states and their results.
 *
 * An engine is one file beside this one and a row of `engines.ts`.
 */
import type { Plan, ScoreUnit, TrainUnit } from "../plan.ts";

/** The names of the engines. */
export type SubmitEngineName = "slurm" | "bullmq" | "kubernetes";

/** What is handed over, and how. */
export interface SubmitOptions {
  /** What does the units. */
  engine: SubmitEngineName;
  /**
   * Only write the files and give the commands that hand the units over.
   * @default false
   */
  print?: boolean;
  /** Slurm: more options of `sbatch`, such as `--partition=long`. */
  sbatch?: readonly string[];
  /** BullMQ: the address of Redis or Valkey, `redis://USER:PASSWORD@HOST:PORT`. */
  redis?: string;
  /**
   * BullMQ: the name of the queue.
   * @default "mrnet"
   */
  queue?: string;
  /** Kubernetes: an image with Deno, the toolkit, and the toolkit's packages in Deno's cache. */
  image?: string;
  /**
   * Kubernetes: which persistent volume claims the units see, and where: `name=/path`. They must hold the
   * plan, its data and its starting weights.
   */
  claims?: readonly string[];
  /**
   * Kubernetes: the folder in the container that the paths of the plan lead on from.
   * @default where the first claim is
   */
  workdir?: string;
  /**
   * Kubernetes: the folder of the toolkit in the image.
   * @default "/app"
   */
  app?: string;
  /**
   * Kubernetes: the memory of a unit.
   * @default "2Gi"
   */
  memory?: string;
}

/** The options that not every engine takes. */
export type EngineOption = Exclude<keyof SubmitOptions, "engine" | "print">;

/** A plan as an engine is given it. */
export interface SubmitRequest {
  /** The folder of the plan, as the user called it. */
  folder: string;
  /** The plan. */
  plan: Plan;
  /** The SHA-256 of its file, by which it is told from other plans. */
  sha256: string;
  /** The units that are not done, at least one, in their order. */
  open: readonly (TrainUnit | ScoreUnit)[];
  /** What was asked for; of the engines' own options only those that it takes. */
  options: SubmitOptions;
}

/** What an engine made of a request. */
export interface Submission {
  /** The files that were written. */
  files: string[];
  /** The numbers of the units that were handed over. */
  submitted: number[];
  /** The numbers of the units that the engine had before, waiting or running. */
  queued: number[];
  /** What was handed over, a line each: `job 12: units 0-8`. */
  jobs: string[];
  /** With `print`, the commands that hand the units over, as a shell takes them. */
  commands: string[];
  /** What is to be done then, a command a line, as a shell takes it. */
  next?: string[];
}

/** Something that does units. */
export interface SubmitEngine {
  /** What it is called in messages. */
  title: string;
  /** The options that it takes beside those of all. */
  takes: readonly EngineOption[];
  /**
   * Hands units over. It leaves out those that it has already, so that doing it twice adds nothing.
   *
   * @throws {OptionError} if an option is none that it can follow
   * @throws {SubmitError} if the engine is not there or refuses
   */
  submit(request: SubmitRequest): Promise<Submission>;
}
