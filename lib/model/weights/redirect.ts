/**
 * What a server says that sends on to another address. Nothing here follows it: the address behind it
 * was chosen by that server and not by the user, and may be one that only this machine can reach.
 *
 * @module
 */
import { shortened } from "../../quoted.ts";

/**
 * What was found where a response, fetched with `redirect: "manual"`, sends on; `undefined` where it
 * does not.
 */
export function redirectOf({ status, headers }: Response): string | undefined {
  if (status < 300 || status > 399) return undefined;
  const to = headers.get("location");
  const where = to === null ? "elsewhere" : `to '${shortened(to, 200)}'`;
  return `the answer was ${status}, which sends on ${where}, and redirects are not followed`;
}
