/**
 * What tells a PACS who asks. It is never part of an address or a message, and no object shows it.
 */
import { OptionError } from "../errors.ts";
import { readBytes } from "../files.ts";

/** Where credentials are looked for if no file is given. */
export const CREDENTIALS_VARIABLE = "MRNET_DICOMWEB_CREDENTIALS";

/** Tokens are sent with every request, so none is longer; in bytes. */
const MAX_BYTES = 16 * 1024;

/** A user with a password, or a token. */
export class Credentials {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /**
   * Reads `user:password` or a token, which has no colon.
   *
   * @param text blanks and line ends around it do not count
   * @param from where it comes from, for the message
   * @throws {OptionError} if it is neither; the message does not show it
   */
  static parse(text: string, from: string): Credentials {
    const own = text.trim();
    // What a header cannot hold would show up in the error of whoever sends it.
    const isToken = !own.includes(":") && /^[\x21-\x7e]+$/.test(own);
    const isPassword = /^[^:]+:/.test(own) && !/\p{Cc}/u.test(own);
    if (isToken || isPassword) return new Credentials(own);
    const found = own === "" ? "there are none" : "they are neither";
    throw new OptionError(
      `Cannot use the credentials in ${from}: ${found}: give USER:PASSWORD or a token, alone on one line`,
    );
  }

  /** The value of the header `Authorization`. */
  get authorization(): string {
    return this.#isToken ? `Bearer ${this.#text}` : `Basic ${_base64(this.#text)}`;
  }

  get #isToken(): boolean {
    return !this.#text.includes(":");
  }
}

/** Base64 of a text as UTF-8, as RFC 7617 asks for. */
function _base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/**
 * Reads the credentials in a file.
 *
 * @throws {OptionError} if it cannot be read, or holds none
 * @throws {PermissionError} if Deno may not read it
 */
export async function readCredentials(path: string): Promise<string> {
  const hint = "give a file that holds USER:PASSWORD or a token alone";
  const what = "read the credentials from";
  const action = { what, path, access: "read", error: OptionError, hint } as const;
  const text = new TextDecoder().decode(await readBytes(action, { most: MAX_BYTES })).trim();
  Credentials.parse(text, `'${path}'`);
  return text;
}
