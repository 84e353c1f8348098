import assert from "node:assert/strict";
import { concat } from "../lib/bytes.ts";
import { crc32, deflateRawSync } from "node:zlib";
import { bytesSource } from "../lib/model/weights/source.ts";
import { encodeZip, readZip, readZipEntry } from "../lib/zip.ts";
import { assertRefused, fixture } from "./model/weights/support.ts";

const FILES = new Map([
  ["archive/data.pkl", new TextEncoder().encode("pickle")],
  ["archive/data/größe", new Uint8Array(100).map((_, index) => index)],
  ["archive/empty", new Uint8Array(0)],
]);

function readAll(bytes: Uint8Array): Map<string, Uint8Array> {
  const source = bytesSource(bytes, "a.pth");
  const directory = readZip(source);
  return new Map(
    [...directory.entries].map(([name, entry]) => [name, readZipEntry(source, directory, entry)]),
  );
}

/** A copy with a number written at a byte, low byte first. */
function changed(bytes: Uint8Array, at: number, size: number, value: number): Uint8Array {
  const copy = bytes.slice();
  for (let byte = 0; byte < size; byte++) copy[at + byte] = Math.floor(value / 256 ** byte) % 256;
  return copy;
}

const ZIP = concat(encodeZip(FILES));
const CENTRAL = find(ZIP, [0x50, 0x4b, 1, 2]);
const END = ZIP.length - 22;

function find(bytes: Uint8Array, pattern: number[]): number {
  return bytes.findIndex((_, at) => pattern.every((byte, offset) => bytes[at + offset] === byte));
}

Deno.test("what is zipped is unzipped, and begins at multiples of 64", () => {
  assert.deepEqual(readAll(ZIP), FILES);
  assert.deepEqual(concat(encodeZip(FILES)), ZIP);
  const chunks = encodeZip(FILES);
  for (let index = 0, at = 0; index < 6; index++) {
    if (index % 2 === 1) assert.equal(at % 64, 0);
    at += chunks[index].length;
  }
});

Deno.test("a comment at the end and an empty archive are read", () => {
  const comment = new TextEncoder().encode("PK\x05\x06 in a comment of some length, twenty-two");
  const bytes = concat([changed(ZIP, END + 20, 2, comment.length), comment]);
  assert.deepEqual(readAll(bytes), FILES);
  assert.equal(readAll(concat(encodeZip(new Map()))).size, 0);
});

Deno.test("PyTorch's archives have the 64-bit extension and are read", () => {
  const names = [...readAll(fixture("state_dict.pth")).keys()];
  assert.ok(names.includes("state_dict/data.pkl") && names.includes("state_dict/data/0"));
});

Deno.test("a checksum of 0 is one that was not computed", () => {
  const bytes = concat(encodeZip(new Map([["a", new TextEncoder().encode("content")]])));
  const central = find(bytes, [0x50, 0x4b, 1, 2]);
  const without = changed(bytes, central + 16, 4, 0);
  assert.deepEqual(readAll(without), new Map([["a", new TextEncoder().encode("content")]]));
  const wrong = changed(bytes, central + 16, 4, 1);
  assertRefused(() => readAll(wrong), "the checksum of 'a' does not match");
});

Deno.test("sizes in the 64-bit extra field are read", () => {
  const content = new TextEncoder().encode("content");
  const bytes = concat(encodeZip(new Map([["a", content]])));
  const central = find(bytes, [0x50, 0x4b, 1, 2]);
  const extra = new Uint8Array(4 + 24);
  const view = new DataView(extra.buffer);
  view.setUint16(0, 1, true);
  view.setUint16(2, 24, true);
  [content.length, content.length, 0].forEach((value, index) =>
    view.setBigUint64(4 + 8 * index, BigInt(value), true)
  );
  let wide = concat([bytes.slice(0, central + 47), extra, bytes.slice(central + 47)]);
  for (const at of [20, 24, 42]) wide = concat([changed(wide, central + at, 4, 0xffffffff)]);
  wide = concat([changed(wide, central + 30, 2, extra.length)]);
  const end = concat([changed(wide, wide.length - 10, 4, 47 + extra.length)]);
  assert.deepEqual(readAll(end), new Map([["a", content]]));
  const without = changed(end, central + 47, 2, 9);
  assertRefused(() => readAll(without), "the 64-bit sizes of 'a' are missing");
});

for (
  const [what, bytes, found] of [
    ["no end record", ZIP.slice(0, -1), "has no end record"],
    ["nothing but its start", ZIP.slice(0, 4), "has no end record"],
    ["a part missing before the end", concat([ZIP.slice(0, 200), ZIP.slice(210)]), "directory"],
    ["a directory past the end", changed(ZIP, END + 16, 4, ZIP.length), "runs into its end record"],
    ["too many files", changed(ZIP, END + 10, 2, 60_000), "claims 60000 files in"],
    ["one file too many", changed(ZIP, END + 10, 2, 4), "breaks off after 3 of 4 files"],
    ["several disks", changed(ZIP, END + 4, 2, 1), "one part of a split archive"],
    ["a compressed file", changed(ZIP, CENTRAL + 10, 2, 8), "is compressed inside the archive"],
    ["sizes that differ", changed(ZIP, CENTRAL + 20, 4, 5), "is compressed inside the archive"],
    ["an encrypted file", changed(ZIP, CENTRAL + 8, 2, 1), "'archive/data.pkl' is encrypted"],
    ["a name past the end", changed(ZIP, CENTRAL + 28, 2, 9999), "breaks off in file 1"],
    [
      "content past the end",
      changed(changed(ZIP, CENTRAL + 20, 4, 1e6), CENTRAL + 24, 4, 1e6),
      "'archive/data.pkl' runs past the end",
    ],
    [
      "a header past the end",
      changed(ZIP, CENTRAL + 42, 4, ZIP.length - 40),
      "lies past its files",
    ],
    ["a header elsewhere", changed(ZIP, CENTRAL + 42, 4, 1), "'archive/data.pkl' is not there"],
    ["the header of another file", changed(ZIP, CENTRAL + 42, 4, 70), "has another name"],
    ["damaged content", changed(ZIP, 64, 1, 1), "the checksum of 'archive/data.pkl' does not"],
  ] as const
) {
  Deno.test(`a zip archive with ${what} is refused`, () => {
    assertRefused(() => readAll(bytes), found);
  });
}

Deno.test("the same name twice is refused", () => {
  const bytes = concat(encodeZip(new Map([["ab", new Uint8Array(1)], ["cd", new Uint8Array(1)]])));
  const second = bytes.lastIndexOf("c".charCodeAt(0));
  const twice = changed(changed(bytes, second, 1, 0x61), second + 1, 1, 0x62);
  assertRefused(() => readAll(twice), "lists 'ab' twice");
});

/** An archive of one deflated file, which says that it has so many bytes. */
function deflated(content: Uint8Array, length = content.length): Uint8Array {
  const bytes = concat(encodeZip(new Map([["a", new Uint8Array(deflateRawSync(content))]])));
  const central = find(bytes, [0x50, 0x4b, 1, 2]);
  const crc = changed(changed(bytes, central + 10, 2, 8), central + 16, 4, crc32(content));
  return changed(crc, central + 24, 4, length);
}

function readInflated(bytes: Uint8Array, maxInflated = 1000): Uint8Array {
  const source = bytesSource(bytes, "a.zip");
  const directory = readZip(source);
  return readZipEntry(source, directory, directory.entries.get("a")!, { maxInflated });
}

Deno.test("a deflated file is read by whoever wants it, and only as long as it says", () => {
  const content = new Uint8Array(900).map((_, index) => index % 7);
  assert.deepEqual(readInflated(deflated(content)), content);
  assertRefused(() => readAll(deflated(content)), "is compressed inside the archive");
  assertRefused(() => readInflated(deflated(content, 899)), "'a' cannot be inflated");
  assertRefused(
    () => readInflated(deflated(content, 901)),
    "'a' has 900 bytes, its directory says",
  );
  assertRefused(() => readInflated(deflated(content), 800), "has 900 bytes, at most 800 are read");
});
