import assert from "node:assert/strict";
import { DataError } from "../../lib/errors.ts";
import { cardTextJson, decodeCardFile, readCardFile } from "../../lib/model/card_text.ts";

const decode = (value: unknown) =>
  decodeCardFile(new TextEncoder().encode(JSON.stringify(value)), "card.json");

Deno.test("a card file is read, and written as it was", () => {
  const file = {
    name: "Tears of the ACL",
    version: "1.0.0",
    description: "Sagittal exams.\n\nTwo paragraphs.",
    intended_use: "Research on reading order.",
    out_of_scope_use: "Children.",
    limitations: "One scanner.",
    license: "CC-BY-4.0",
    license_link: "https://example.org/license",
    copyright: "2026 Example Hospital",
    authors: ["A. Author", "B. Author"],
    contact: "knee@example.org",
    datasets: ["MRNet"],
    data_source: "https://stanfordmlgroup.github.io/competitions/mrnet/",
    references: ["Bien et al., PLOS Medicine 15(11), 2018"],
  };
  const text = decode(file);
  assert.equal(text.intendedUse, "Research on reading order.");
  assert.deepEqual(cardTextJson(text), file);
  assert.deepEqual(decode({}), {});
});

Deno.test("what no card has is refused in one line that names it", () => {
  const cases: [unknown, string][] = [
    [{ licence: "MIT" }, "no card has the key 'licence' (meant is 'license'?)"],
    [{ intendedUse: "x" }, "no card has the key 'intendedUse' (meant is 'intended_use'?)"],
    [{ ["\x1b[2J"]: "x" }, "no card has the key '\uFFFD[2J' (known are name, version, "],
    [{ name: "" }, "its name must be a text of one line, at most 300 characters"],
    [{ name: "a\nb" }, "its name must be a text of one line, at most 300 characters"],
    [{ name: 3 }, "its name must be a text of one line, at most 300 characters"],
    [{ description: "x".repeat(4001) }, "its description must be a text, at most 4000 characters"],
    [{ description: "bell\x07" }, "its description must be a text, at most 4000 characters"],
    [{ authors: [] }, "its authors must be a list of 1 to 50 texts of one line"],
    [{ authors: ["a", null] }, "its authors must be a list of 1 to 50 texts of one line"],
    [
      {
        description: "x".repeat(4000),
        limitations: "x".repeat(4000),
        intended_use: "x".repeat(4000),
      },
      "its texts have 12052 characters in all, allowed are 12000",
    ],
    [["MIT"], "a JSON object is needed"],
    ["MIT", "a JSON object is needed"],
    [null, "a JSON object is needed"],
  ];
  for (const [file, found] of cases) {
    assert.throws(() => decode(file), (error: Error) => {
      assert.ok(error instanceof DataError, `${error}`);
      assert.ok(
        error.message.startsWith(`Cannot use the card 'card.json': ${found}`),
        error.message,
      );
      assert.ok(!error.message.includes("\n"), error.message);
      return true;
    });
  }
});

Deno.test("a card file that is no JSON, or not there, is refused in one line", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const each of [bytes("{"), bytes(""), Uint8Array.of(0xff, 0xfe)]) {
    assert.throws(() => decodeCardFile(each, "card.json"), {
      name: "DataError",
      message: /^Cannot use the card 'card\.json': it is not JSON \(.*\): see docs\/reporting\.md/,
    });
  }
  await assert.rejects(readCardFile("no_such_card.json"), {
    name: "DataError",
    message: /^Cannot read the card 'no_such_card\.json': .*: check that the card is there/,
  });
});
