/** Who may ask: whoever sends the token. */
import { timingSafeEqual } from "node:crypto";
import { Problem } from "./problem.ts";

/** Checks the token of requests. The time this takes does not depend on how much of it was right. */
export class TokenCheck {
  readonly #wanted: Promise<Uint8Array>;

  /** @param token what clients must send */
  constructor(token: string) {
    this.#wanted = _digest(token);
  }

  /** @throws {Problem} 401 if the request has no `Authorization: Bearer` with this token */
  async check({ headers }: Request): Promise<void> {
    const sent = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
    // Digests are compared, since they have one length, and always as a whole.
    const [wanted, found] = await Promise.all([this.#wanted, _digest(sent ?? "")]);
    if (timingSafeEqual(wanted, found) && sent !== undefined) return;
    const what = sent === undefined ? "There is no token" : "The token is another one";
    throw new Problem(401, `${what}: send the header 'Authorization: Bearer TOKEN'`, {
      "www-authenticate": 'Bearer realm="MRNet"',
    });
  }
}

async function _digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
