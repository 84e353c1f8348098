/** What a handler is made of: models, limits, a token. */
import type { Classifier } from "../classifier/classifier.ts";
import type { ClassifierOptions } from "../classifier/load.ts";
import type { ComputeOptions } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import type { ModelSource } from "../model/model_source.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { checkPacs, type PacsOptions } from "../pacs/pacs_options.ts";
import type { WatchList } from "../pacs/watch_list.ts";
import { normalizeOrigins } from "./origins.ts";

/** A model to serve, with the name that answers call it by, and what its file does not say. */
export interface GivenModel
  extends Pick<ClassifierOptions, "name" | "task" | "plane" | "intensity"> {
  /** Its file: a path, a URL or bytes. */
  source: ModelSource;
}

/** What requests may take. */
export interface ServeLimits {
  /**
   * The most bytes of a body.
   * @default 67_108_864, three planes of MRNet's longest series as float32
   */
  bodyBytes: number;
  /**
   * The most bytes of all bodies under way together. Beside them the one that is being decoded takes
   * up to three times its bytes, and the exams that were dropped on the viewer's page as many in all.
   * @default 268_435_456
   */
  uploadBytes: number;
  /**
   * The most bytes that all answers being sent hold in memory. An exam that is shown counts once,
   * however many clients look at it; each answer counts with what is made of it at once.
   * @default 134_217_728
   */
  answerBytes: number;
  /**
   * The most pixels of a slice. The network computes a slice in one step. On the WebAssembly engine it
   * takes 45 bytes a pixel, shared by all models, and about 0.4 s for 1024×1024; no other request is
   * answered in that time. MRNet's slices have 256×256; scanners make up to 1024×1024.
   * @default 1_048_576, 1024×1024
   */
  slicePixels: number;
  /**
   * The most voxels of an exam. On WebGPU the engine's memory grows with it, some 27 bytes a voxel.
   * @default 8_388_608, 128 slices of 256×256
   */
  voxels: number;
  /**
   * The most images of a study: its files, those in archives included, and the frames of each.
   * @default 4096
   */
  images: number;
  /**
   * The most bytes that an archive, or a file of a study that is compressed by itself, inflates to. While
   * a study is read, which is done one at a time, it takes up to six times as much.
   * @default 134_217_728
   */
  inflatedBytes: number;
  /**
   * The most pixels of a series of a study as they were scanned, before they become 256×256.
   * @default 16_777_216, 64 slices of 512×512
   */
  seriesPixels: number;
  /**
   * How many requests with an exam, or for one to be read, may wait beside the one that the engine
   * computes. A request counts from when its exam has arrived completely to its answer. As many
   * studies may wait to be read, and count here once they are.
   * @default 16
   */
  queue: number;
  /**
   * How long a request may take in all, in milliseconds. A request that would have to wait longer for
   * those before it is refused at once.
   * @default 30_000
   */
  deadline: number;
}

/** The default limits. */
export const SERVE_LIMITS: Readonly<ServeLimits> = {
  bodyBytes: 64 * 1024 * 1024,
  uploadBytes: 256 * 1024 * 1024,
  answerBytes: 128 * 1024 * 1024,
  slicePixels: 1024 * 1024,
  voxels: 8 * 1024 * 1024,
  images: 4096,
  inflatedBytes: 128 * 1024 * 1024,
  seriesPixels: 16 * 1024 * 1024,
  queue: 16,
  deadline: 30_000,
};

/** What the viewer shows. */
export interface ViewerOptions {
  /**
   * A folder in MRNet's layout.
   * @default none, only exams that are dropped on the page
   */
  data?: string;
  /**
   * A folder in which the models' answers about that dataset are kept, so that the next start computes
   * only what is new or has changed.
   * @default none, in memory
   */
  verdicts?: string;
  /**
   * A CSV file of the answers of a person who reads the dataset's exams. With it the page asks for that
   * person's answer first; labels and the models' answers about an exam are told after it. It is made if it
   * is not there.
   * @default none, everything is told at once
   */
  reader?: string;
  /**
   * The list of a watch of the PACS ({@linkcode WatchOptions.list}): its studies are listed as they come, and
   * one that is opened is fetched from the PACS, into memory alone.
   * @default none
   */
  watch?: WatchList;
}

/** How to serve. */
export interface ServeOptions extends Pick<ComputeOptions, "engine"> {
  /**
   * The models, single or combined: each a path, a URL, the bytes of a file, or one of these with what
   * the file does not say; or a classifier that is loaded, which stays its owner's.
   * @default none, for a viewer of exams
   */
  models?: readonly (ModelSource | GivenModel | Classifier)[];
  /** What requests may take; {@linkcode SERVE_LIMITS} by default. */
  limits?: Partial<ServeLimits>;
  /**
   * What clients must send as `Authorization: Bearer …`.
   * @default none, everybody is answered
   */
  token?: string;
  /**
   * Start the engine and load the models at once and not with the first request.
   * @default false
   */
  warm?: boolean;
  /**
   * Serve the viewer's page at `/`, and for it the exams of this folder in MRNet's layout (`true`: no
   * folder, only exams that are dropped on the page).
   * @default false
   */
  viewer?: boolean | ViewerOptions;
  /**
   * The host names that are answered, such as `localhost` or `[::1]`, without a port. With a service on
   * the own machine this keeps web pages of others out, whatever address their names resolve to.
   * @default any
   */
  hosts?: readonly string[];
  /**
   * The origins whose pages may ask `/v1/*`, `/healthz` and `/openapi.json` from a browser, such as
   * `https://viewer.example.org`: CORS with them, and nobody else. With a token they send that too.
   * @default none
   */
  origins?: readonly string[];
  /**
   * A PACS with DICOMweb, from which `POST /v1/predict?study=UID` fetches the study that is asked for. Whoever
   * may ask the service learns what its models say of any study in there, so protect it by a token.
   * @default none
   */
  pacs?: PacsOptions;
  /** Called with every failure of the service; clients are told only that it failed. */
  onError?: (error: unknown) => void;
}

/** What serving can be given. */
const OPTION_NAMES: OptionNames<ServeOptions> = {
  models: true,
  engine: true,
  limits: true,
  token: true,
  warm: true,
  viewer: true,
  hosts: true,
  origins: true,
  pacs: true,
  onError: true,
};

/** Options with nothing left open. */
export interface ResolvedOptions
  extends Omit<ServeOptions, "models" | "limits" | "viewer" | "origins"> {
  origins: readonly string[];
  models: readonly (GivenModel | Classifier)[];
  limits: ServeLimits;
  viewer?: ViewerOptions;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {OptionError} if an option does not exist, a limit, the token, an origin or the PACS cannot be, there
 *   is a reader and no dataset, or a watch without a PACS or beside a reader
 */
export function resolveOptions(options: ServeOptions): ResolvedOptions {
  checkOptionNames("serve", options, OPTION_NAMES);
  const limits = { ...SERVE_LIMITS, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === "queue" ? 0 : 1;
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new OptionError(
      `Cannot serve with the limit ${name} ${value}: give a whole number of at least ${least}`,
    );
  }
  // What a header can carry; anything else could never be sent.
  if (options.token !== undefined && !/^[!-~]+$/.test(options.token)) {
    throw new OptionError(
      "Cannot serve with this token: give letters, digits and signs of ASCII, without blanks",
    );
  }
  if (options.pacs !== undefined) checkPacs(options.pacs);
  const models = (options.models ?? []).map((model): GivenModel | Classifier =>
    typeof model === "string" || model instanceof URL || model instanceof Uint8Array
      ? { source: model }
      : model
  );
  const viewer = options.viewer === true ? {} : options.viewer || undefined;
  if (viewer?.reader !== undefined && viewer.data === undefined) {
    throw new OptionError(
      `Cannot keep a reader's answers in '${viewer.reader}': give the folder of the exams, data, too`,
    );
  }
  if (viewer?.watch !== undefined) {
    const lacks = options.pacs === undefined
      ? "there is no PACS to open its studies from: give pacs too"
      : viewer.reader !== undefined
      ? "a reader is asked about the exams of the dataset alone: leave reader out"
      : undefined;
    if (lacks !== undefined) throw new OptionError(`Cannot show the studies of a watch: ${lacks}`);
  }
  const origins = normalizeOrigins(options.origins ?? []);
  return { ...options, models, limits, viewer, origins };
}
