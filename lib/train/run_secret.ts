/**
 * Tells the files of a run from others: its state holds a secret, and its models hold the hash of that
 * secret. So a model is not enough to forge a state of its run.
 */
import { sha256Of } from "../files.ts";

/** 256 bits in hexadecimal. States older than 2026-12 hold a UUID, which their models show openly. */
const SECRET = /^[0-9a-f]{64}$/;

/** A secret for a new run. */
export function newRunSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** Whether a state holds a secret, and not a UUID that its models show. */
export function isRunSecret(text: string): boolean {
  return SECRET.test(text);
}

/** The mark of a run's models, 64 hexadecimal digits: the secret does not follow from it. */
export async function runMark(secret: string): Promise<string> {
  return await sha256Of(new TextEncoder().encode(`mrnet-run ${secret}`));
}
