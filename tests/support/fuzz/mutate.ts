/**
 * Damaged copies of valid files: what a bad disk, a broken program or an attacker might make of them.
 */
import { concat } from "../../../lib/bytes.ts";
import type { Random } from "../../../lib/random.ts";

/** The longest file that is made, in bytes; it bounds what repeating a range can come to. */
const LONGEST = 128 * 1024;

/** Numbers that sizes, offsets and counts are overwritten with. */
const EXTREMES = [
  ...[0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n],
  ...[0xfffffffen, 0xffffffffn, 0x100000000n, 1n << 40n, (1n << 53n) - 1n, 1n << 53n],
  ...[(1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n],
];

/** The same and worse where numbers are written as text. */
const TEXT_EXTREMES = [
  ...["0", "00", "-1", "1", "65", "255", "65536", "2147483648", "4294967295", "4294967296"],
  ...["9007199254740991", "9007199254740993", "18446744073709551616", "9".repeat(400)],
  ...["1e999", "-0", "0x10", "NaN", "Infinity", "1.5", "null", "true", '""', "[]", "{}"],
];

/** Bytes that mean something to one of the formats. */
const MEANINGFUL = "[]{}(),:\"'\\\n\r\0.=><|-".split("").map((sign) => sign.charCodeAt(0));

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  overwrite,
  fillRun,
  truncate,
  extend,
  copyWithin,
  removePart,
  repeatPart,
  nest,
  writeInteger,
  writeInteger,
  replaceNumber,
  splice,
];

/**
 * A copy that was damaged in one to four ways.
 *
 * @param bytes a valid file
 * @param random decides how
 * @param other another valid file of the same kind, of which a range may be inserted
 */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let damaged: Uint8Array = bytes.slice();
  const times = 1 + random.integer(4);
  for (let time = 0; time < times; time++) {
    damaged = MUTATIONS[random.integer(MUTATIONS.length)](damaged, random, other);
  }
  return damaged.subarray(0, LONGEST);
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const flips = 1 + random.integer(4);
  for (let flip = 0; flip < flips && bytes.length > 0; flip++) {
    bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
  }
  return bytes;
}

function overwrite(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const meaningful = random.integer(2) === 0;
  bytes[random.integer(bytes.length)] = meaningful
    ? MEANINGFUL[random.integer(MEANINGFUL.length)]
    : random.integer(256);
  return bytes;
}

function fillRun(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length + 1);
  return bytes.fill(
    [0, 0x20, 0x30, 0x7f, 0xff][random.integer(5)],
    at,
    at + 1 + random.integer(16),
  );
}

function truncate(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.subarray(0, random.integer(bytes.length + 1));
}

function extend(bytes: Uint8Array, random: Random): Uint8Array {
  const more = Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256));
  return joined(bytes, more);
}

function copyWithin(bytes: Uint8Array, random: Random): Uint8Array {
  const [to, from] = [random.integer(bytes.length + 1), random.integer(bytes.length + 1)];
  return bytes.copyWithin(to, from, from + 1 + random.integer(64));
}

function removePart(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length + 1);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(32)));
}

/** Repeats a range, a few times or very often: entries twice, lists without end. */
function repeatPart(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length + 1);
  const range = bytes.subarray(at, at + 1 + random.integer(random.integer(2) === 0 ? 8 : 200));
  const times = random.integer(8) === 0 ? Math.floor(LONGEST / (range.length + 1)) : 2;
  const copies = new Uint8Array(times * range.length);
  for (let copy = 0; copy < times; copy++) copies.set(range, copy * range.length);
  return joined(bytes.subarray(0, at), copies, bytes.subarray(at));
}

/** Opens brackets, or begins tuples, lists and dictionaries of a pickle, up to sixty thousand deep. */
function nest(bytes: Uint8Array, random: Random): Uint8Array {
  const opening = ["[", "{", "(", '{"a":', "]", "}", ")", "((", "]a", "}}"][random.integer(10)];
  const at = random.integer(bytes.length + 1);
  const depth = 1 << random.integer(random.integer(8) === 0 ? 17 : 7);
  const deep = new TextEncoder().encode(opening.repeat(Math.min(depth, 60_000)));
  return joined(bytes.subarray(0, at), deep, bytes.subarray(at));
}

/** Overwrites a number of 1, 2, 4 or 8 bytes, which may be a size, an offset or a count. */
function writeInteger(bytes: Uint8Array, random: Random): Uint8Array {
  const width = 1 << random.integer(4);
  if (bytes.length < width) return bytes;
  const near = BigInt(bytes.length + random.integer(3) - 1);
  const choice = random.integer(EXTREMES.length + 2);
  const value = choice < EXTREMES.length ? EXTREMES[choice] : near;
  // Sizes stand at the beginning of most formats, and at the end of zip archives.
  const room = bytes.length - width + 1;
  const within = random.integer(2) === 0 ? Math.min(room, 64) : room;
  const at = random.integer(2) === 0 ? random.integer(within) : room - 1 - random.integer(within);
  const little = random.integer(4) > 0;
  for (let byte = 0; byte < width; byte++) {
    bytes[at + (little ? byte : width - 1 - byte)] = Number((value >> BigInt(8 * byte)) & 0xffn);
  }
  return bytes;
}

/** Replaces a number that is written in digits. */
function replaceNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const isDigit = (at: number) => bytes[at] >= 0x30 && bytes[at] <= 0x39;
  let start = random.integer(bytes.length + 1);
  const last = Math.min(bytes.length, start + 4096);
  while (start < last && !isDigit(start)) start++;
  if (start >= last) return bytes;
  let end = start;
  while (end < bytes.length && isDigit(end)) end++;
  const text = TEXT_EXTREMES[random.integer(TEXT_EXTREMES.length)];
  return joined(bytes.subarray(0, start), new TextEncoder().encode(text), bytes.subarray(end));
}

/** The beginning of one file and the end of another, or a range of another inside. */
function splice(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const [at, from] = [random.integer(bytes.length + 1), random.integer(other.length + 1)];
  if (random.integer(2) === 0) return joined(bytes.subarray(0, at), other.subarray(from));
  const range = other.subarray(from, from + 1 + random.integer(256));
  return joined(bytes.subarray(0, at), range, bytes.subarray(at));
}

/** Several pieces as one file. */
export function joined(...parts: Uint8Array[]): Uint8Array {
  return concat(parts);
}
