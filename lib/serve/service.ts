/**
 * The service: which request is answered by what, and what happens where one cannot be.
 *
 * @module
 */
import { Budget, readBody } from "./body.ts";
import { Deadline } from "./deadline.ts";
import { checkType, readExams } from "./exams.ts";
import { type LoadedModel, loadModels, operatingPointOf, planesOf, taskOf } from "./models.ts";
import { openApi } from "./openapi.ts";
import type { SettledOptions } from "./options.ts";
import { choose, predictions, readWith, REMARK } from "./predict.ts";
import { Problem } from "./problem.ts";
import { engineTurns, freeTheLoop, type TurnOptions } from "./queue.ts";
import {
  type HealthAnswer,
  type PredictAnswer,
  PredictQuery,
  readQuery,
  type ServedModel,
} from "./schemas.ts";
import { TokenCheck } from "./token.ts";
import type { Viewer } from "./viewer/viewer.ts";

/** What answers a request of some path. */
export interface Route {
  /** The methods it knows; `GET` brings `HEAD` along. */
  method: "GET" | "POST";
  /** Whether it answers without the token. */
  open?: boolean;
  answer(request: Request, url: URL): Response | Promise<Response>;
}

/** Headers of every response. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

/** A service with its models, loaded when they are first needed. */
export class Service {
  /** What it was made with. */
  readonly options: SettledOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #token: TokenCheck | undefined;
  readonly #uploads: Budget;
  #viewer: Promise<Viewer> | undefined;
  #loading: Promise<LoadedModel[]> | undefined;
  #state: HealthAnswer["models"] = "not loaded";
  /** Requests whose exams wait or are being computed. */
  #waiting = 0;

  /** @param options what it serves */
  constructor(options: SettledOptions) {
    this.options = options;
    this.#token = options.token === undefined ? undefined : new TokenCheck(options.token);
    this.#uploads = new Budget(options.limits.uploadBytes);
    this.#routes = new Map<string, Route>([
      ["/v1/predict", { method: "POST", answer: (request, url) => this.#predict(request, url) }],
      ["/v1/models", { method: "GET", answer: () => this.#models() }],
      ["/healthz", { method: "GET", open: true, answer: () => this.#health() }],
      ["/openapi.json", { method: "GET", open: true, answer: () => this.#description() }],
    ]);
  }

  /** Loads the models, and the engine with them; throws what is wrong with them. */
  async ready(): Promise<void> {
    if (this.options.models.length > 0) await (this.#loading ??= this.#load());
  }

  /**
   * The models.
   *
   * @throws {Problem} 503 where they cannot be loaded; the next request tries again
   */
  async models(): Promise<LoadedModel[]> {
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
    let response: Response;
    try {
      response = await this.#route(request);
    } catch (error) {
      await request.body?.cancel().catch(() => {});
      response = (error instanceof Problem ? error : this.#fault(error)).response();
    }
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  }

  /**
   * Has the engine do something when it is free.
   *
   * @throws {Problem} 503 where the engine fails
   */
  async compute<T>(work: () => T | Promise<T>, options: TurnOptions): Promise<T> {
    const done = await engineTurns.take(async () => {
      try {
        return await work();
      } catch (error) {
        throw this.#failure(error, "The exam could not be computed: try again later");
      } finally {
        await freeTheLoop();
      }
    }, options);
    return done;
  }

  /**
   * Takes in a request's exams, under the limits.
   *
   * @param use what is done with them once they are here
   */
  async withExams<T>(
    request: Request,
    use: (sent: Awaited<ReturnType<typeof readExams>>, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const { limits } = this.options;
    checkType(request);
    this.#checkQueue();
    using deadline = new Deadline(request.signal, limits.deadline);
    const { signal } = deadline;
    const most = limits.bodyBytes;
    using body = await readBody(request, { most, budget: this.#uploads, signal });
    deadline.uploaded();
    const sent = await readExams(request, body.bytes, limits.voxels);
    this.#checkQueue();
    this.#waiting++;
    try {
      return await use(sent, deadline);
    } finally {
      this.#waiting--;
    }
  }

  async #route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.#checkHost(request, url);
    const route = this.#routes.get(url.pathname) ?? await this.#viewerRoute(url.pathname);
    if (route === undefined) {
      throw new Problem(404, "There is nothing at this path: see /openapi.json");
    }
    if (!route.open) await this.#token?.check(request);
    const allowed = route.method === "GET" ? ["GET", "HEAD"] : [route.method];
    if (!allowed.includes(request.method)) {
      const allow = allowed.join(", ");
      throw new Problem(405, `This path answers ${allow} only`, { allow });
    }
    const response = await route.answer(request, url);
    return request.method === "HEAD" ? new Response(null, response) : response;
  }

  async #viewerRoute(path: string): Promise<Route | undefined> {
    const { viewer } = this.options;
    if (viewer === undefined) return undefined;
    this.#viewer ??= import("./viewer/viewer.ts").then(({ Viewer }) => new Viewer(this, viewer));
    return (await this.#viewer).route(path);
  }

  async #predict(request: Request, url: URL): Promise<Response> {
    const query = readQuery(PredictQuery, url.searchParams);
    if (this.options.models.length === 0) {
      throw new Problem(503, "This service has no model: start it with one");
    }
    const answer = await this.withExams(request, async (sent, deadline): Promise<PredictAnswer> => {
      const { signal } = deadline;
      const chosen = choose(await deadline.wait(this.models()), sent, query);
      const predicted = await deadline.wait(
        predictions(
          chosen,
          (model, exam) => this.compute(() => readWith(model, exam, query), { signal }),
        ),
      );
      const sizes = [...chosen.exams].map(([plane, { slices, height, width }]) => {
        return [plane, { slices, height, width }];
      });
      return { exams: Object.fromEntries(sizes), predictions: predicted, remark: REMARK };
    });
    return Response.json(answer);
  }

  async #models(): Promise<Response> {
    const models = (await this.models()).map((model): ServedModel => ({
      model: model.name,
      kind: model.kind,
      task: taskOf(model),
      planes: [...planesOf(model)],
      sha256: model.sha256,
      operating_point: operatingPointOf(model),
    }));
    return Response.json({ models });
  }

  #health(): Response {
    const answer: HealthAnswer = { status: "ok", models: this.#state, waiting: this.#waiting };
    return Response.json(answer);
  }

  #description(): Response {
    const { token, limits: { bodyBytes } } = this.options;
    return Response.json(openApi({ token: token !== undefined, bodyBytes }));
  }

  async #load(): Promise<LoadedModel[]> {
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

  #checkQueue(): void {
    if (this.#waiting <= this.options.limits.queue) return;
    throw new Problem(
      429,
      `${this.#waiting} exams are waiting already, more than this service takes: try again later`,
      { "retry-after": "5" },
    );
  }

  #checkHost({ headers }: Request, url: URL): void {
    const { hosts } = this.options;
    const host = (headers.get("host") ?? url.host).replace(/:\d*$/, "").toLowerCase();
    if (hosts === undefined || hosts.includes(host)) return;
    throw new Problem(421, "This service does not go by that name: use the address it printed");
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
