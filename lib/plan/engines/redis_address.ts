/** Where a Redis or Valkey is. The user and the password of an address are never shown. */
import { OptionError } from "../../errors.ts";

/** The port that Redis and Valkey listen on where nothing is said. */
const REDIS_PORT = 6379;

/** An address that was read. */
export interface RedisAddress {
  /** The address without user and password, for messages. */
  shown: string;
  /** The name or the number of the machine. */
  host: string;
  /** The port. */
  port: number;
  /** The number of the database. */
  db: number;
  /** Whether the connection is encrypted. */
  tls: boolean;
  /** The user, if one is given. */
  username?: string;
  /** The password, if one is given. */
  password?: string;
}

/**
 * Reads the address of a Redis or Valkey: `redis://HOST:PORT`, with `rediss:` encrypted, with
 * `USER:PASSWORD@` before the host, and with the number of a database behind it.
 *
 * @throws {OptionError} if it is anything else; the message does not repeat it, because of the password
 */
export function parseRedisAddress(url: string): RedisAddress {
  const parsed = URL.parse(url);
  const tls = parsed?.protocol === "rediss:";
  const db = /^\/?(\d{1,4})?$/.exec(parsed?.pathname ?? "-");
  if (
    parsed === null || db === null || parsed.hostname === "" || parsed.search !== "" ||
    parsed.hash !== "" || !(tls || parsed.protocol === "redis:")
  ) throw _refusal("it is none of the form redis://HOST:PORT");
  const { hostname, username, password } = parsed;
  const port = parsed.port === "" ? REDIS_PORT : Number(parsed.port);
  const number = Number(db[1] ?? 0);
  return {
    shown: `${parsed.protocol}//${hostname}:${port}${number === 0 ? "" : `/${number}`}`,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    ...{ port, tls, db: number },
    ...(username !== "" && { username: _decoded(username) }),
    ...(password !== "" && { password: _decoded(password) }),
  };
}

function _decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw _refusal("a % in its user or password begins no character (write % as %25)");
  }
}

function _refusal(found: string): OptionError {
  return new OptionError(
    `Cannot use the address of Redis: ${found}: give redis://HOST:PORT, or ` +
      "rediss://USER:PASSWORD@HOST:PORT/DATABASE",
  );
}
