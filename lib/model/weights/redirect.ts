/**
 * Answers that redirect to another address. Nothing here follows them: the server chose that address and
 * not the user, and it may be one that only this machine can reach.
 */
import { shortened } from "../../quoted.ts";

/**
 * What to say of a response that redirects, fetched with `redirect: "manual"`; `undefined` for others.
 */
export function redirectOf({ status, headers }: Response): string | undefined {
  if (status < 300 || status > 399) return undefined;
  const to = headers.get("location");
  const where = to === null ? "elsewhere" : `to '${shortened(to, 200)}'`;
  return `the answer was ${status}, which sends on ${where}, and redirects are not followed`;
}
