/**
 * Texts in DICOM's character sets: the examples of the standard (PS3.5, annexes H to K), and what is not
 * well-formed.
 */
import assert from "node:assert/strict";
import { outlineOf, parseCharacterSet } from "../../lib/pacs/character_sets.ts";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const outline = (text: string, set: string) => outlineOf(bytes(text), set);

/** Yamada Tarou: ideographic and phonetic groups of 2 and 2, 3 and 3 characters. */
const YAMADA =
  "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";

Deno.test("names of the standard have their characters counted and their delimiters found", () => {
  const cases: [set: string, text: string, outline: string][] = [
    ["", "Doe^Jane", "Doe^Jane"],
    ["ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^J¤r¤me"],
    ["ISO_IR 192", "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f", "Wang^XiaoDong=¤^¤"],
    ["GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=¤^¤¤"],
    // The second byte of a character may be a delimiter's.
    ["GBK", "\x81\x5e\x81\x5c", "¤¤"],
    ["\\ISO 2022 IR 87", YAMADA, "Yamada^Tarou=¤¤^¤¤=¤¤¤^¤¤¤"],
    [
      "\\ISO 2022 IR 149",
      "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
      "Hong^Gildong=¤^¤¤",
    ],
    ["\\ISO 2022 IR 58", "Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab", "Zhang=¤^¤¤"],
    ["ISO 2022 IR 100\\ISO 2022 IR 144", "Buc^J\xe9=\x1b-L\xbb\xee", "Buc^J¤=¤¤"],
    ["ISO 2022 IR 13\\ISO 2022 IR 87", "\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J", "¤¤¤¤=¤¤"],
  ];
  for (const [set, text, expected] of cases) {
    assert.equal(parseCharacterSet(set), set);
    assert.equal(outline(text, set), expected, set);
  }
});

Deno.test("bytes that are no text of the character set have no outline", () => {
  const cases: [set: string, text: string][] = [
    ["", "J\xe9r\xf4me"],
    ["", "Doe\r\nJane"],
    ["ISO_IR 100", "J\x85r"],
    ["ISO_IR 13", "J\xe9r"],
    ["ISO_IR 192", "J\xe9r\xf4me"],
    ["ISO_IR 192", "a\xc2\x85"],
    ["GB18030", "\xff"],
    ["\\ISO 2022 IR 87", "\x1b$B;3E"],
    ["\\ISO 2022 IR 87", "\x1b$B;\x1b(B"],
    ["\\ISO 2022 IR 87", "\x1b[31mred"],
    ["\\ISO 2022 IR 149", "\x1b$)C\xfb^"],
    ["\\ISO 2022 IR 149", "a\tb"],
  ];
  for (const [set, text] of cases) {
    assert.equal(outline(text, set), undefined, `${set} ${JSON.stringify(text)}`);
  }
});

Deno.test("a character set is known by the standard's names alone", () => {
  for (const name of ["UTF-8", "ISO_IR 999", "latin1", "ISO_IR 100\\ISO_IR 192", "\\GBK"]) {
    assert.equal(parseCharacterSet(name), undefined, name);
  }
  assert.equal(parseCharacterSet(" ISO_IR 100 "), "ISO_IR 100");
  assert.equal(
    parseCharacterSet("ISO_IR 100\\ISO 2022 IR 87"),
    "ISO 2022 IR 100\\ISO 2022 IR 87",
  );
});
