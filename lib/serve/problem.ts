/**
 * The answer to a request that cannot be served: a status and problem details that say what to fix.
 *
 * The format is RFC 9457, Problem Details for HTTP APIs.
 */
import { messageOf, MRNetError } from "../errors.ts";

/** The statuses that a request can be refused with, and what HTTP calls them. */
export const PROBLEM_TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
} as const;

/** The headers that a status may bring along, and what they say. */
export const PROBLEM_HEADERS: Partial<Record<ProblemStatus, Record<string, string>>> = {
  401: { "www-authenticate": "How to send the token." },
  405: { "allow": "The methods that the path answers." },
  415: {
    "accept-post": "The media types that can be read.",
    "accept-encoding": "The encodings that can be read.",
  },
  429: { "retry-after": "In how many seconds it is worth trying again." },
  503: { "retry-after": "In how many seconds it is worth trying again." },
};

/** A status that a request can be refused with. */
export type ProblemStatus = keyof typeof PROBLEM_TITLES;

/** The media type of problem details. */
export const PROBLEM_TYPE = "application/problem+json";

/** Thrown if a request cannot be answered; its message goes to the client as it is. */
export class Problem extends MRNetError {
  /** The response's status. */
  readonly status: ProblemStatus;
  /** Headers that the status asks for, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What programs are told beside the text, as RFC 9457 allows. */
  readonly members: Readonly<Record<string, unknown>>;

  /**
   * @param detail one line: what was found, and how to fix it
   * @param headers what the status asks for
   * @param members what programs are told beside
   */
  constructor(
    status: ProblemStatus,
    detail: string,
    headers: Record<string, string> = {},
    members: Record<string, unknown> = {},
  ) {
    super(detail);
    this.status = status;
    this.headers = headers;
    this.members = members;
  }

  /** The response. */
  response(): Response {
    const body = {
      type: "about:blank",
      title: PROBLEM_TITLES[this.status],
      status: this.status,
      detail: messageOf(this),
      ...this.members,
    };
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: { ...this.headers, "content-type": PROBLEM_TYPE },
    });
  }
}

/** The answer to exams for which there is no memory left. */
export function busy(): Problem {
  return new Problem(503, "Too many exams are on their way in: send this one again later", {
    "retry-after": "5",
  });
}
