/**
 * Which files are a run's own: its state holds a secret, and the models that it writes bear the hash
 * of it. Whoever has seen a model cannot make a state that passes for the one of its run.
 *
 * @module
 */
import { sha256Of } from "../files.ts";

/** 256 bits; states of before 2026-12 hold a UUID, which stands in their models as it is. */
const SECRET = /^[0-9a-f]{64}$/;

/** A secret for a new run. */
export function newRunSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** Whether a state's number of its run is a secret, and not one that its models tell. */
export function isRunSecret(text: string): boolean {
  return SECRET.test(text);
}

/** What the models of a run bear, 64 hexadecimal digits: nothing that the secret follows from. */
export async function runMark(secret: string): Promise<string> {
  return await sha256Of(new TextEncoder().encode(`mrnet-run ${secret}`));
}
