/**
 * The service: which request is answered by what, and what happens if one cannot be answered.
 */
import type { Classifier } from "../classifier/classifier.ts";
import { DataError, messageOf, PacsError, PermissionError } from "../errors.ts";
import { Budget, readBody } from "./body.ts";
import { Collection } from "./collection.ts";
import { Deadline } from "./deadline.ts";
import { checkType, contentOf, formReaderFor } from "./content.ts";
import type { EngineTask, Host, Route } from "./host.ts";
import { eventLoop } from "./loop.ts";
import { loadModels } from "./models.ts";
import { openApi } from "./openapi.ts";
import type { ResolvedOptions } from "./options.ts";
import { isForeign, Origins } from "./origins.ts";
import { CHUNK_BYTES, outgoing } from "./outgoing.ts";
import { asked, choose, examsOf, predictions, readWith, REMARK, told } from "./predict.ts";
import { busy, Problem } from "./problem.ts";
import { engineTurns, Positions, studyTurns, type TurnOptions } from "./queue.ts";
import {
  type HealthAnswer,
  type PredictAnswer,
  PredictQuery,
  readQuery,
  type ServedModel,
} from "./schemas.ts";
import { TokenCheck } from "./token.ts";
import { Upload } from "./upload.ts";
import type { Viewer } from "./viewer/viewer.ts";

/** Headers of every response. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

/** A service with its models, loaded when they are first needed. */
export class Service implements Host {
  /** See {@linkcode Host.options}. */
  readonly options: ResolvedOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #token: TokenCheck | undefined;
  readonly #origins: Origins;
  readonly #uploads: Budget;
  readonly #outgoing: Budget;
  readonly #collection = new Collection();
  #viewer: Promise<Viewer> | undefined;
  #loading: Promise<Classifier[]> | undefined;
  #state: HealthAnswer["models"] = "not loaded";
  /** Of requests with an exam that has come in whole, or for one to be read, up to their answer. */
  readonly #exams: Positions;
  /** Of studies that have come in whole, until they are read. */
  readonly #studies: Positions;
  /** Everything that is being answered. */
  readonly #answers = new Set<Promise<Response>>();
  readonly #stopping = new AbortController();

  /** @param options what it serves */
  constructor(options: ResolvedOptions) {
    this.options = options;
    this.#token = options.token === undefined ? undefined : new TokenCheck(options.token);
    this.#origins = new Origins(options.origins);
    this.#uploads = new Budget(options.limits.uploadBytes);
    this.#outgoing = new Budget(options.limits.answerBytes);
    this.#exams = new Positions(engineTurns, options.limits.queue);
    this.#studies = new Positions(studyTurns, options.limits.queue);
    this.#routes = new Map<string, Route>([
      ["/v1/predict", {
        method: "POST",
        queued: true,
        answer: (request, url) => this.#predict(request, url),
      }],
      ["/v1/models", { method: "GET", answer: () => this.#models() }],
      ["/healthz", { method: "GET", open: true, answer: () => this.#health() }],
      ["/openapi.json", { method: "GET", open: true, answer: () => this.#description() }],
    ]);
  }

  /** See {@linkcode Host.stopping}. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Refuses whatever comes from now on, and waits until what came before is answered. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Problem(503, "The service is stopping", { connection: "close" }));
    while (this.#answers.size > 0) await Promise.allSettled(this.#answers);
    await (await this.#viewer)?.stop();
  }

  /** Loads the models, and the engine with them; throws what is wrong with them. */
  async ready(): Promise<void> {
    await this.#viewerRoute("/");
    await (await this.#viewer)?.ready();
    if (this.options.models.length > 0) await (this.#loading ??= this.#load());
  }

  /** See {@linkcode Host.models}. */
  async models(): Promise<Classifier[]> {
    // A viewer of exams alone needs no engine.
    if (this.options.models.length === 0) return [];
    try {
      return await (this.#loading ??= this.#load());
    } catch (error) {
      throw this.#failure(error, "The models cannot be loaded: see the service's own messages");
    }
  }

  /** Answers a request, whatever it is. */
  async answer(request: Request): Promise<Response> {
    const answer = this.#answer(request);
    this.#answers.add(answer);
    try {
      return await answer;
    } finally {
      this.#answers.delete(answer);
    }
  }

  async #answer(request: Request): Promise<Response> {
    let response: Response;
    try {
      this.stopping.throwIfAborted();
      response = await this.#route(request);
    } catch (error) {
      await request.body?.cancel().catch(() => {});
      response = (error instanceof Problem ? error : this.#fault(error)).response();
    }
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    this.#origins.share(request, response);
    return response;
  }

  /** See {@linkcode Host.compute}. */
  async compute<T>(task: EngineTask<T>, options: TurnOptions): Promise<T> {
    const { signal } = options;
    const between = async () => {
      await eventLoop.free();
      signal?.throwIfAborted();
    };
    return await engineTurns.take(async () => {
      try {
        return await task(between);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        // Of this exam nothing can be known; sent again it would be the same.
        if (error instanceof DataError) throw new Problem(422, messageOf(error));
        throw this.#failure(error, "The exam could not be computed: try again later");
      } finally {
        await eventLoop.free();
      }
    }, options);
  }

  /** See {@linkcode Host.queued}. */
  async queued<T>(request: Request, use: (deadline: Deadline) => Promise<T>): Promise<T> {
    this.#exams.check();
    using deadline = new Deadline(request.signal, this.options.limits.deadline);
    // A client that sends slowly keeps nobody else out: its exam counts once it is here.
    using _slot = request.body === null ? this.#exams.take() : undefined;
    return await use(deadline);
  }

  /** See {@linkcode Host.upload}. */
  async upload(request: Request, { signal, uploaded }: Deadline): Promise<Upload> {
    const { limits } = this.options;
    checkType(request);
    const form = formReaderFor(request, limits);
    const budget = this.#uploads;
    const body = await readBody(request, {
      ...{ most: limits.bodyBytes, budget, signal },
      check: (bytes) => form?.scan(bytes),
    });
    uploaded();
    try {
      const content = contentOf(request, form, body.bytes);
      return new Upload(body, content, {
        ...{ limits, budget, exams: this.#exams, studies: this.#studies },
      });
    } catch (error) {
      body[Symbol.dispose]();
      throw error;
    }
  }

  /** See {@linkcode Host.fetchStudy}. */
  async fetchStudy(
    study: string,
    deadline: Deadline,
    most: number = this.options.limits.bodyBytes,
  ): Promise<Upload> {
    const { pacs, limits } = this.options;
    if (pacs === undefined) {
      throw new Problem(400, "This service has no PACS: send the study's files");
    }
    const budget = this.#uploads;
    let taken = Math.min(most, pacs.limits?.studyBytes ?? Infinity);
    if (!budget.take(taken)) throw busy();
    try {
      const { fetchStudy } = await import("../pacs/fetch_study.ts");
      const own = { studyBytes: taken, files: limits.images };
      const { signal } = deadline;
      const options = { ...pacs, limits: { ...pacs.limits, ...own }, signal };
      const files = await deadline.wait(fetchStudy(study, options));
      deadline.uploaded();
      const bytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
      budget.give(taken - bytes);
      taken = bytes;
      const body = { bytes: new Uint8Array(), [Symbol.dispose]: () => budget.give(bytes) };
      return new Upload(body, { kind: "study", files, series: [] }, {
        ...{ limits, budget, exams: this.#exams, studies: this.#studies },
      });
    } catch (error) {
      budget.give(taken);
      deadline.signal.throwIfAborted();
      if (!(error instanceof PacsError || error instanceof PermissionError)) throw error;
      // Its address and what is wrong with it are nothing that clients should know.
      this.options.onError?.(error);
      throw new Problem(502, "The PACS did not give the study: see the service's own messages");
    }
  }

  /** See {@linkcode Host.outgoing}. */
  outgoing(
    bytes: number,
    next: () => Uint8Array | undefined,
    free?: () => void,
  ): ReadableStream<Uint8Array> {
    const { deadline } = this.options.limits;
    return outgoing({ bytes, next, free, deadline, budget: this.#outgoing });
  }

  /** See {@linkcode Host.json}. */
  json(value: unknown): Response {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const headers = { "content-type": "application/json" };
    if (bytes.length <= CHUNK_BYTES) return new Response(bytes, { headers });
    let rest: Uint8Array | undefined = bytes;
    const next = () => {
      const whole = rest;
      rest = undefined;
      return whole;
    };
    return new Response(this.outgoing(bytes.length, next), { headers });
  }

  async #route(request: Request): Promise<Response> {
    const url = _urlOf(request);
    this.#checkHost(request, url);
    const route = this.#routes.get(url.pathname) ?? await this.#viewerRoute(url.pathname);
    if (route === undefined) {
      throw new Problem(404, "There is nothing at this path: see /openapi.json");
    }
    const allowed = route.method === "GET" ? ["GET", "HEAD"] : [route.method];
    if (this.#origins.isPreflight(request)) {
      return this.#origins.preflight(request, { methods: allowed });
    }
    if (!route.open) await this.#token?.check(request);
    if (!allowed.includes(request.method)) {
      const allow = allowed.join(", ");
      throw new Problem(405, `This path answers ${allow} only`, { allow });
    }
    this.#checkSite(request, url, route);
    const answer = () => route.answer(request, url);
    const response = await (route.queued ? this.#withExams(answer) : eventLoop.first(answer));
    return request.method === "HEAD" ? await _withoutBody(response) : response;
  }

  async #withExams(answer: () => Response | Promise<Response>): Promise<Response> {
    try {
      return await answer();
    } finally {
      await this.#collection.check();
    }
  }

  async #viewerRoute(path: string): Promise<Route | undefined> {
    const { viewer } = this.options;
    if (viewer === undefined) return undefined;
    this.#viewer ??= import("./viewer/viewer.ts").then(({ Viewer }) => new Viewer(this, viewer))
      // What could not be opened, as without a descriptor left, may be another time.
      .catch((error) => {
        this.#viewer = undefined;
        throw error;
      });
    return (await this.#viewer).route(path);
  }

  async #predict(request: Request, url: URL): Promise<Response> {
    const query = readQuery(PredictQuery, url.searchParams);
    if (this.options.models.length === 0) {
      throw new Problem(503, "This service has no model: start it with one");
    }
    const answer = await this.queued(request, async (deadline): Promise<PredictAnswer> => {
      using upload = query.study === undefined
        ? await this.upload(request, deadline)
        : await this.fetchStudy(query.study, deadline);
      const models = asked(await deadline.wait(this.models()), query);
      const planes = [...new Set(models.flatMap(({ planes }) => planes))];
      await upload.readStudy({ planes, series: query.series, plane: query.plane }, deadline);
      const task: EngineTask<PredictAnswer> = async (between) => {
        const sent = upload.exams();
        const chosen = choose(models, sent, query);
        const predicted = await predictions(
          chosen,
          {
            read: (model, exam) => readWith(model, exam, query, between),
            tell: (reading, exam) => told(reading, exam, query, between),
          },
        );
        return { ...examsOf(chosen, sent), predictions: predicted, remark: REMARK };
      };
      return await deadline.wait(this.compute(task, deadline));
    });
    return this.json(answer);
  }

  async #models(): Promise<Response> {
    const models = (await this.models()).map((model): ServedModel => ({
      model: model.name,
      kind: model.kind,
      task: model.task,
      planes: [...model.planes],
      sha256: model.sha256,
      operating_point: model.card.operatingPoint,
      recalibration: _recalibration(model),
    }));
    return Response.json({ models });
  }

  #health(): Response {
    const answer: HealthAnswer = {
      status: "ok",
      models: this.#state,
      waiting: this.#exams.taken + this.#studies.taken,
    };
    return Response.json(answer);
  }

  #description(): Response {
    const { token, limits: { bodyBytes } } = this.options;
    return Response.json(openApi({ token: token !== undefined, bodyBytes }));
  }

  async #load(): Promise<Classifier[]> {
    this.#state = "loading";
    try {
      const models = await engineTurns.take(() => loadModels(this.options));
      this.#state = "loaded";
      return models;
    } catch (error) {
      this.#state = "not loaded";
      this.#loading = undefined;
      throw error;
    }
  }

  #checkHost({ headers }: Request, url: URL): void {
    const { hosts } = this.options;
    const host = (headers.get("host") ?? url.host).replace(/:\d*$/, "").toLowerCase();
    if (hosts === undefined || hosts.includes(host)) return;
    throw new Problem(421, "This service does not go by that name: use the address it printed");
  }

  /**
   * Refuses requests that a page of another site makes through its visitor's browser, unless a token
   * protects the service. What is open to everybody stays open, so that links to it work: it starts no
   * engine and knows no exam.
   */
  #checkSite(request: Request, url: URL, { open = false, method }: Route): void {
    if (this.#origins.allows(request)) return;
    if (this.#token !== undefined || (open && method === "GET")) return;
    if (!isForeign(request, url)) return;
    throw new Problem(
      403,
      "A page of another site asks: whoever runs the service can let it, with --allow_origin",
    );
  }

  /** Something of ours that failed; a request that has a problem of its own keeps it. */
  #failure(error: unknown, detail: string): Problem {
    if (error instanceof Problem) return error;
    this.options.onError?.(error);
    return new Problem(503, detail, { "retry-after": "10" });
  }

  #fault(error: unknown): Problem {
    this.options.onError?.(error);
    return new Problem(500, "The service failed: see its own messages");
  }
}

/** Where a request goes to. A server makes its URL of the header `Host`, which may say anything. */
function _urlOf(request: Request): URL {
  try {
    return new URL(request.url);
  } catch {
    throw new Problem(400, "The request's address cannot be read: send a Host header with a name");
  }
}

/** A response to `HEAD`. Its length is left out: it is not known before the body is made. */
async function _withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  // Deno would say that a response without a body has none, whatever GET would have.
  const empty = new ReadableStream({ start: (controller) => controller.close() });
  return new Response(empty, response);
}

/** What is said of how a model is recalibrated. */
function _recalibration({ card: { recalibration } }: Classifier): ServedModel["recalibration"] {
  if (recalibration === undefined) return undefined;
  const { map: { method }, exams, on } = recalibration;
  return { method, exams, on };
}
