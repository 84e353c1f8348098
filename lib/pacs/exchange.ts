/**
 * One request to a DICOMweb service and its answer: bounded in bytes and time, with credentials that go
 * to that service alone, and one line for whatever goes wrong.
 */
import { messageOf, PacsError, PermissionError } from "../errors.ts";
import { shortened } from "../quoted.ts";
import { netGrant } from "./address.ts";
import { type Credentials, CREDENTIALS_VARIABLE } from "./credentials.ts";
import type { PacsLimits } from "./limits.ts";

/** The service, and who asks. */
export interface PacsServer {
  /** Its address, as `parseAddress` gives it. */
  readonly url: string;
  readonly credentials?: Credentials;
  readonly limits: PacsLimits;
}

/** What is asked. */
export interface PacsRequest {
  /** What it is for, after "Cannot": `fetch study '1.2.3'`. */
  what: string;
  /** Behind the service's address, with a slash in front. */
  path: string;
  query?: URLSearchParams;
  accept: string;
  /** What is sent; a request without it asks. */
  body?: { type: string; content: BodyInit };
  /** The most bytes of the answer. */
  most: number;
  /**
   * Looks at the answer's media type, and throws what is wrong with it. What it gives is called with all of
   * the answer that has come so far.
   */
  begin?: (type: string) => (bytes: Uint8Array) => void;
  signal?: AbortSignal;
}

/** What came back. */
export interface PacsAnswer {
  status: number;
  /** Its media type with parameters; empty if it does not say. */
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Redirects within the service that are followed, one after the other. */
const MAX_REDIRECTS = 3;
/** Room for an answer that does not say its length. */
const FIRST_BYTES = 65536;
/** A timer of more milliseconds would fire at once. */
const MAX_TIMER = 2 ** 31 - 1;
/** Statuses by which a service says that it answers nobody, or not this user, whatever is asked. */
const DOWN = [401, 407, 429, 502, 503, 504];

/**
 * Asks, and reads all of the answer.
 *
 * @throws {PacsError} if the service cannot be reached, refuses, sends on to another one, or sends too much
 *   or too slowly
 * @throws {PermissionError} if Deno may not reach it
 * @throws what `begin` and its check throw, and the signal's reason if that fires
 */
export async function exchange(server: PacsServer, request: PacsRequest): Promise<PacsAnswer> {
  const { url, limits } = server;
  const silent = new AbortController();
  const late = new AbortController();
  const own = [silent.signal, late.signal];
  const signal = AbortSignal.any(request.signal ? [...own, request.signal] : own);
  // Cleared when the answer is there: `AbortSignal.timeout` would stay in memory until it fires.
  const deadline = _after(limits.deadline, late);
  let timer = _after(limits.silence, silent);
  const progress = () => {
    clearTimeout(timer);
    timer = _after(limits.silence, silent);
  };
  try {
    const response = await _follow(server, request, signal);
    const type = response.headers.get("content-type") ?? "";
    const { status } = response;
    const bytes = await _read(response, type, { server, request, progress });
    return { status, type, bytes };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (silent.signal.aborted) {
      const found = `it sent nothing for ${limits.silence / 1000} s`;
      throw pacsError(server, request.what, found, { hint: "try again later", isDown: true });
    }
    if (late.signal.aborted) {
      const found = `its answer was not complete after ${limits.deadline / 1000} s`;
      throw pacsError(server, request.what, found, { hint: "try again later", isDown: true });
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError(
        `Cannot ${request.what} at ${url}: Deno has no permission for it: run again with ` +
          `--allow-net=${netGrant(url)}`,
      );
    }
    // What the runtime throws for a connection; the rest is thrown here, or by a check.
    if (!(error instanceof TypeError)) throw error;
    const reason = _reasonOf(error);
    const hint = /certificate/i.test(reason)
      ? "have Deno trust its certificate, by --cert FILE or DENO_TLS_CA_STORE=system"
      : "check that it runs at this address";
    throw pacsError(server, request.what, reason, { hint, isDown: true });
  } finally {
    clearTimeout(timer);
    clearTimeout(deadline);
  }
}

/** Aborts after some milliseconds. */
function _after(milliseconds: number, controller: AbortController) {
  return setTimeout(() => controller.abort(), Math.min(milliseconds, MAX_TIMER));
}

/**
 * The error of a request: what was wanted, of which service, what was found, what to do. What a service
 * wrote is not quoted: some send back what they were sent, credentials too.
 */
export function pacsError(
  { url }: Pick<PacsServer, "url">,
  what: string,
  found: string,
  { hint, isDown }: { hint: string; isDown?: boolean },
): PacsError {
  return new PacsError(`Cannot ${what} at ${url}: ${found}: ${hint}`, { isDown });
}

/** Sends the request, and once more to where the same service says that the answer is. */
async function _follow(
  server: PacsServer,
  { what, path, query, accept, body }: PacsRequest,
  signal: AbortSignal,
): Promise<Response> {
  const headers = new Headers({ accept, "accept-encoding": "identity" });
  if (server.credentials !== undefined) {
    headers.set("authorization", server.credentials.authorization);
  }
  if (body !== undefined) headers.set("content-type", body.type);
  const init = {
    ...{ headers, signal, redirect: "manual" as const },
    ...body === undefined ? { method: "GET" } : { method: "POST", body: body.content },
  };
  const search = query === undefined || query.size === 0 ? "" : `?${query}`;
  let to = new URL(`${server.url}${path}${search}`);
  for (let redirects = 0;; redirects++) {
    const response = await fetch(to, init);
    const { status } = response;
    if (status >= 200 && status < 300) return response;
    await response.body?.cancel();
    if (status < 300 || status > 399) {
      throw pacsError(server, what, `it answered ${status}`, {
        hint: _hintFor(status, accept, server.credentials !== undefined),
        isDown: DOWN.includes(status),
      });
    }
    const next = URL.parse(response.headers.get("location") ?? "", to);
    const isOwn = next?.origin === to.origin && next.username === "" && next.password === "";
    if (isOwn && body === undefined && redirects < MAX_REDIRECTS) {
      to = next;
      continue;
    }
    const where = next === null ? "elsewhere" : `to '${shortened(next.origin, 200)}'`;
    throw pacsError(server, what, `it answered ${status}, which sends on ${where}`, {
      hint: "give the address that answers itself",
      isDown: true,
    });
  }
}

/** What to do about a status. */
function _hintFor(status: number, accept: string, hasCredentials: boolean): string {
  if (status === 401 || status === 403) {
    return hasCredentials
      ? "check the credentials, and what they permit"
      : `no credentials were sent: give them in a file, or in the variable ${CREDENTIALS_VARIABLE}, ` +
        `which needs --allow-env=${CREDENTIALS_VARIABLE}`;
  }
  if (status === 404) return "check the address, and whether it has the study";
  if (status >= 500 && DOWN.includes(status)) return "try again later";
  if (accept.includes("transfer-syntax") && (status === 406 || status >= 500)) {
    return "it may not be able to send the files in the transfer syntax that they are stored in: " +
      "its own log says why";
  }
  return "its own log says why";
}

/** Reads an answer to its end. */
async function _read(
  response: Response,
  type: string,
  { server, request: { what, most, begin }, progress }: {
    server: PacsServer;
    request: PacsRequest;
    progress: () => void;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const tooMuch = () =>
    pacsError(server, what, `it sent more than ${most} bytes`, {
      hint: "ask for less, for example for the series that are needed",
    });
  const reader = response.body?.getReader();
  try {
    const claimed = Number(response.headers.get("content-length") ?? 0);
    if (claimed > most) throw tooMuch();
    const check = begin?.(type);
    // One buffer from the start: chunks that are joined at the end would be in memory twice.
    let buffer = new ArrayBuffer(claimed > 0 ? claimed : Math.min(most, FIRST_BYTES));
    let size = 0;
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      progress();
      if (size + value.length > most) throw tooMuch();
      if (size + value.length > buffer.byteLength) {
        buffer = buffer.transfer(Math.min(most, 2 * (size + value.length)));
      }
      new Uint8Array(buffer).set(value, size);
      size += value.length;
      check?.(new Uint8Array(buffer, 0, size));
    }
    return new Uint8Array(buffer.transfer(size));
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

/** Why a connection failed, without the address that was asked. */
function _reasonOf(error: TypeError): string {
  const text = messageOf(error.cause ?? error);
  const reason = text
    .replace(/^error sending request.*?\): (client error \(\w+\): )?/, "")
    .replace(/ \(os error \d+\)$/, "");
  const isThere = !/\(Connect\)|blocked/.test(text);
  return isThere ? `the answer broke off (${reason})` : `it cannot be reached (${reason})`;
}
