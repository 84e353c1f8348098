/** Identifiers that follow from what they stand for, so that the same answer has the same one. */
import { createHash } from "node:crypto";

/**
 * An identifier under 2.25: a UUID of version 8 (RFC 9562) whose bits are a SHA-256 hash, as a decimal
 * number.
 *
 * @param of what it stands for; other texts, or the same in another order, give another one
 */
export function derivedUid(...of: readonly string[]): string {
  const bytes = createHash("sha256").update(JSON.stringify(of)).digest().subarray(0, 16);
  bytes[6] = bytes[6] & 0x0f | 0x80;
  bytes[8] = bytes[8] & 0x3f | 0x80;
  return `2.25.${BigInt(`0x${bytes.toString("hex")}`)}`;
}
