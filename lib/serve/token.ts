/**
 * Who may ask: whoever sends the token.
 *
 * @module
 */
import { Problem } from "./problem.ts";

/** Checks the token of requests in a time that does not tell how much of it was right. */
export class TokenCheck {
  readonly #wanted: Promise<Uint8Array>;

  /** @param token what clients must send */
  constructor(token: string) {
    this.#wanted = _digest(token);
  }

  /** @throws {Problem} 401 where the request has no `Authorization: Bearer` with this token */
  async check({ headers }: Request): Promise<void> {
    const sent = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
    // Digests are compared, which are of one length, and all of them whatever they begin with.
    const [wanted, found] = await Promise.all([this.#wanted, _digest(sent ?? "")]);
    let difference = sent === undefined ? 1 : 0;
    for (let at = 0; at < wanted.length; at++) difference |= wanted[at] ^ found[at];
    if (difference === 0) return;
    const what = sent === undefined ? "There is no token" : "The token is another one";
    throw new Problem(401, `${what}: send the header 'Authorization: Bearer TOKEN'`, {
      "www-authenticate": 'Bearer realm="MRNet"',
    });
  }
}

async function _digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
