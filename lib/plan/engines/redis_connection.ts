/** A connection to Redis or Valkey that is there, or one line that says why not. */
import { messageOf, PermissionError, SubmitError } from "../../errors.ts";
import type { BullMQ, RedisClient } from "./bullmq_client.ts";
import type { RedisAddress } from "./redis_address.ts";

/**
 * Makes sure that a Redis answers at an address.
 *
 * @throws {SubmitError} if none does, or it refuses
 * @throws {PermissionError} if Deno may not reach it
 */
export async function checkRedis(bullmq: BullMQ, address: RedisAddress): Promise<void> {
  const client = bullmq.client(address, { retry: false });
  // What the promises reject with says less: that the connection is closed.
  let cause: Error | undefined;
  client.on("error", (error) => void (cause ??= error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw _unreachable(address, cause ?? error);
  } finally {
    client.disconnect();
  }
}

function _unreachable({ shown, host, port }: RedisAddress, error: unknown): Error {
  const found = messageOf(error).replace(/\.$/, "");
  if (error instanceof Deno.errors.NotCapable || /Requires net access/.test(found)) {
    return new PermissionError(
      `Cannot reach Redis at ${shown}: Deno has no permission for it: run again with ` +
        `--allow-net=${host.includes(":") ? `[${host}]` : host}:${port}`,
    );
  }
  const hint = /NOAUTH|WRONGPASS|NOPERM|without any password/i.test(found)
    ? "give its user and password in the address"
    : "start it there, or give the address of one that runs";
  return new SubmitError(`Cannot reach Redis at ${shown}: ${found}: ${hint}`);
}

/** Calls back when a connection is lost and when it is there again, once each. */
export function watchConnection(
  client: RedisClient,
  { onLost, onBack }: { onLost: (reason: string) => void; onBack: () => void },
): void {
  let lost = false;
  let reason = "the connection was closed";
  client.on("error", (error) => {
    reason = messageOf(error) || reason;
  });
  client.on("close", () => {
    if (!lost) onLost(reason);
    lost = true;
  });
  client.on("ready", () => {
    if (lost) onBack();
    lost = false;
  });
}
