/**
 * A reader under attack, and one mutated file given to it: there is either an answer that holds
 * what it promises, or the reader's own error. Anything else is a {@linkcode Fault}.
 */
import { messageOf, type MRNetError } from "../../../lib/errors.ts";
import { createRandom } from "../../../lib/random.ts";
import { mutate } from "./mutate.ts";

/** A valid file, or a part of one with what makes a file of it. */
export interface Seed {
  /** What it is, for messages. */
  name: string;
  /** The bytes that are damaged. */
  readonly bytes: Uint8Array;
  /** Puts checksums and lengths around the damaged bytes, so that the damage gets past them. */
  wrap?: (bytes: Uint8Array) => Uint8Array;
}

/** A reader, and what is known about it. */
export interface FuzzReader {
  /** Its name on the command line. */
  name: string;
  /** What is damaged; with `asTheyAre`, what is read. */
  seeds: Seed[];
  /** The seeds are hostile already: each number stands for one of them, unchanged. */
  asTheyAre?: true;
  /** The one class of error that it refuses a file with. */
  refuses: new (message: string) => MRNetError;
  /** Reads bytes, and throws a plain `Error` where the answer breaks a promise. */
  read(bytes: Uint8Array): unknown;
  /** The largest file that the reader looks into, in bytes: a few cases are repeated up to that. */
  limit?: number;
  /** How many zeros follow the bytes of a case, for formats whose files are large and mostly data. */
  behind?: number;
  /** Reads a file, for the sample that goes by way of the disk. */
  readFile?(path: string): Promise<unknown>;
  /** How the file's name ends. */
  extension?: string;
}

/** What a reader may do with a file. */
export type Outcome = "answered" | "refused";

/** What no reader may do. */
export class Fault extends Error {
  override name = "Fault";
}

/** One case of so many is as large as its reader takes. */
const PADDED = 250;

/** The file of this number; the same seed and number always give the same. */
export function caseBytes(reader: FuzzReader, seed: number, index: number): Uint8Array {
  const { name, seeds, asTheyAre } = reader;
  if (asTheyAre) return seeds[index % seeds.length].bytes;
  const random = createRandom(seed, name, index);
  const { bytes, wrap } = seeds[random.integer(seeds.length)];
  const other = seeds[random.integer(seeds.length)].bytes;
  let damaged = mutate(bytes, random, other);
  if (reader.limit !== undefined && damaged.length > 0 && random.integer(PADDED) === 0) {
    damaged = repeated(damaged, reader.limit);
  }
  return wrap === undefined ? damaged : wrap(damaged);
}

/** The same bytes again and again, up to a length. */
function repeated(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) {
    whole.set(bytes.subarray(0, length - at), at);
  }
  return whole;
}

/** The longest message of an error, in characters; a line for a person. */
const MAX_MESSAGE_LENGTH = 2000;

/**
 * Gives bytes to a reader.
 *
 * @throws {Fault} if it does anything but answer or refuse in one clear line
 */
export async function readCase(reader: FuzzReader, bytes: Uint8Array): Promise<Outcome> {
  try {
    await reader.read(bytes);
    return "answered";
  } catch (error) {
    return refusal(reader, error);
  }
}

/** The same by way of a file. */
export async function readCaseFile(reader: FuzzReader, path: string): Promise<Outcome> {
  try {
    await reader.readFile!(path);
    return "answered";
  } catch (error) {
    return refusal(reader, error);
  }
}

function refusal({ refuses }: FuzzReader, error: unknown): Outcome {
  if (!(error instanceof refuses)) {
    const what = error instanceof Error ? `${error.name}: ${messageOf(error)}` : String(error);
    throw new Fault(`threw ${what}`, { cause: error });
  }
  const { message } = error;
  if (/\p{Cc}/u.test(message)) {
    throw new Fault(`has a control character in its message: ${JSON.stringify(message)}`);
  }
  if (message.length > MAX_MESSAGE_LENGTH) {
    throw new Fault(`has a message of ${message.length} characters: ${message.slice(0, 100)}…`);
  }
  return "refused";
}
