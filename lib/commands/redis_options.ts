/** The options of the commands that use a queue. */
import { QUEUE } from "../plan/engines/queue_job.ts";
import { option, text, UsageError } from "./arguments.ts";

/** Where the address comes from if it is not given, so that a password is in no list of processes. */
export const REDIS_VARIABLE = "REDIS_URL";

/**
 * `--redis` and `--queue`.
 *
 * @param of what their descriptions begin with
 */
export function redisOptions(of = "") {
  return [
    option(
      "--redis <URL>",
      `${of}redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT (default: ${REDIS_VARIABLE})`,
      text,
    ),
    option("--queue <NAME>", `${of}the queue in it (default: ${QUEUE})`, text),
  ] as const;
}

/**
 * The address that is given, or that of the environment.
 *
 * @throws {UsageError} if there is none
 */
export function redisGiven(given: string | undefined): string {
  if (given !== undefined) return given;
  // Not asked for: who gives the address has no need of the permission.
  const { state } = Deno.permissions.querySync({ name: "env", variable: REDIS_VARIABLE });
  const found = state === "granted" ? Deno.env.get(REDIS_VARIABLE) : undefined;
  if (found !== undefined && found !== "") return found;
  throw new UsageError(
    `the following arguments are required: --redis (or the variable ${REDIS_VARIABLE})`,
  );
}
