/**
 * Pages of other origins that may ask from a browser: CORS, as https://fetch.spec.whatwg.org defines it.
 *
 * Only listed origins, each written in full. They may use the interface for programs; the viewer and its
 * exams are for the viewer's own page. If there is a token, they must send it too. Only the
 * preflight, which a browser sends without a token, is answered without it.
 */
import { OptionError } from "../errors.ts";
import { Problem } from "./problem.ts";

/** Headers that a page may send beside those that need no leave. */
const SENT = "authorization, content-type";

/** Headers of an answer that a page may read beside those that need no leave. */
const READ = "allow, retry-after, www-authenticate";

/** How long a browser may remember a preflight's answer, in seconds. */
const REMEMBERED = 600;

/** What a preflight asks for. */
export interface Preflight {
  /** The methods that the path answers. */
  methods: readonly string[];
}

/** The origins that may ask. */
export class Origins {
  readonly #allowed: ReadonlySet<string>;

  /** @param allowed as {@linkcode normalizeOrigins} makes them */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  /** Whether a request comes from a page of a listed origin, and asks for what such a page may have. */
  allows({ headers, url }: Pick<Request, "headers" | "url">): boolean {
    const origin = headers.get("origin");
    return origin !== null && this.#allowed.has(origin) && isShared(url);
  }

  /** Whether a request is a browser's question about the one that it is to send. */
  isPreflight({ method, headers }: Request): boolean {
    return this.#allowed.size > 0 && method === "OPTIONS" && headers.has("origin") &&
      headers.has("access-control-request-method");
  }

  /**
   * Answers a preflight; {@linkcode Origins.share} adds whom the answer is for.
   *
   * @throws {Problem} 403 if its origin is not listed, or may not ask this path
   */
  preflight(request: Request, { methods }: Preflight): Response {
    if (!this.allows(request)) {
      throw new Problem(403, "Pages of this origin may not ask here: see --allow_origin");
    }
    const headers = new Headers({
      "access-control-allow-methods": methods.join(", "),
      "access-control-allow-headers": SENT,
      "access-control-max-age": `${REMEMBERED}`,
    });
    // Some browsers ask separately whether a public page may reach a machine of a private network.
    if (request.headers.get("access-control-request-private-network") === "true") {
      headers.set("access-control-allow-private-network", "true");
    }
    return new Response(null, { status: 204, headers });
  }

  /** Has a browser give an answer, a refusal too, to the page that asked. */
  share(request: Request, { headers }: Response): void {
    if (this.#allowed.size === 0) return;
    // No cache may give one origin what was made out to another.
    headers.append("vary", "origin");
    if (!this.allows(request)) return;
    headers.set("access-control-allow-origin", request.headers.get("origin")!);
    headers.set("access-control-expose-headers", READ);
  }
}

/**
 * Whether a page of another origin asks, as far as its browser says so. Browsers say the site of all
 * requests; some, and some proxies, leave that out, and then `Origin` is held against the address.
 *
 * @param url the address that was asked
 */
export function isForeign({ headers }: Pick<Request, "headers">, url: URL): boolean {
  const site = headers.get("sec-fetch-site");
  // Another port of this machine is the same site, and somebody else's page all the same.
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  return origin !== null && URL.parse(origin)?.host !== url.host;
}

/** Whether pages of other origins may ask a path at all. */
function isShared(url: string): boolean {
  const path = URL.parse(url)?.pathname;
  return path !== undefined && path !== "/" && !path.startsWith("/viewer/");
}

/**
 * Checks origins, and writes each as browsers do.
 *
 * @throws {OptionError} if one is no origin: `https://`, a host, and a port where it is not the usual one
 */
export function normalizeOrigins(origins: readonly string[]): string[] {
  return origins.map((given) => {
    const url = URL.parse(given);
    const whole = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
      url.password === "" && /^https?:\/\/[^/?#*]+\/?$/i.test(given);
    if (whole) return url.origin;
    throw new OptionError(
      `Cannot allow the origin '${given}': give scheme, host and port of a page's address and ` +
        "no more, such as https://viewer.example.org or http://localhost:5173",
    );
  });
}
