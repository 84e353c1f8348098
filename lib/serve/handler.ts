/**
 * The service as a function from a request to a response, the same for a laptop and a serverless
 * function. Nothing is loaded before the first request, unless an option asks for it.
 */
import { resolveOptions, type ServeOptions } from "./options.ts";
import type { Service } from "./service.ts";

/** Answers requests; `Deno.serve` and every runtime of that shape takes it as it is. */
export interface Handler {
  /** Answers a request, whatever it is. */
  (request: Request): Promise<Response>;
  /**
   * Starts the engine and loads the models now. Without it the first request does so; if that
   * fails, the client is told only that it failed, while this says why.
   *
   * @throws {WeightsError} if a model is missing, or is none
   * @throws {OptionError} if a model's finding or plane is left open, or two have one name
   * @throws {PermissionError} if Deno refuses a file or the network
   * @throws {EngineError} if the engine cannot be had
   */
  ready(): Promise<void>;
  /**
   * Refuses new requests with 503, and waits until the accepted ones are answered or their time is up.
   * Close the server after it (`server.shutdown()`), which sends the remaining answers.
   */
  stop(): Promise<void>;
}

/**
 * Makes the handler of the service:
 *
 * | request | answer |
 * | --- | --- |
 * | `POST /v1/predict` | how likely the findings are in the exam that is sent |
 * | `GET /v1/models` | the models, with what their files say about them |
 * | `GET /healthz` | whether the service answers |
 * | `GET /openapi.json` | all of this in OpenAPI 3.1 |
 * | `GET /` | the viewer, if it is asked for |
 *
 * Whatever cannot be answered gets problem details (RFC 9457) that say what to fix: 400, 401, 403,
 * 404, 405, 408, 413, 415, 421, 422, 429, 503. One exam is computed at a time.
 *
 * @throws {OptionError} if an option has a value that cannot be; what is wrong with a model is found
 *   when it is loaded
 *
 * @example
 * ```ts
 * import { createHandler, createMRNet, saveMRNet } from "../../mod.ts";
 * const file = `${await Deno.makeTempDir()}/acl.safetensors`;
 * using model = await createMRNet({ weights: "none", seed: 1 });
 * await saveMRNet(model, file, { task: "acl", plane: "sagittal" });
 *
 * const handler = createHandler({ models: [file] });
 * const response = await handler(new Request("http://localhost/v1/models"));
 * console.assert((await response.json()).models[0].planes[0] === "sagittal");
 * // Deno.serve(handler), or in a file for `deno serve`: export default { fetch: handler }
 * ```
 */
export function createHandler(options: ServeOptions = {}): Handler {
  const resolved = resolveOptions(options);
  let service: Promise<Service> | undefined;
  const start = () =>
    service ??= import("./service.ts").then(({ Service }) => new Service(resolved))
      // What could not be opened, as without a descriptor left, may be another time.
      .catch((error) => {
        service = undefined;
        throw error;
      });
  const ready = async () => await (await start()).ready();
  if (resolved.warm) ready().catch((error) => resolved.onError?.(error));
  // Only the request: a runtime may pass more, which is its own business.
  const answer = async (request: Request) => await (await start()).answer(request);
  const stop = async () => await (await start()).stop();
  return Object.assign(answer, { ready, stop });
}
