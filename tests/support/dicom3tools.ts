/**
 * dicom3tools, for the tests that have its `dciodvfy` check DICOM files against the standard.
 */
import assert from "node:assert/strict";
import { TemporaryFolder } from "./folders.ts";

const PROGRAM = "dciodvfy";

/** Set where its absence must fail instead of skip. */
const DEMANDED = Deno.env.get("MRNET_REQUIRE_DICOM3TOOLS") === "1";

const found = await new Deno.Command(PROGRAM, { args: ["-version"] }).output()
  .then(() => true, () => false);

/** What it says is wrong about a file: its lines that are errors. */
export async function dicomErrors(bytes: Uint8Array): Promise<string[]> {
  await using folder = await TemporaryFolder.make();
  await folder.write("a.dcm", bytes);
  const { stderr, stdout } = await new Deno.Command(PROGRAM, { args: [folder.at("a.dcm")] })
    .output();
  // Names are in all kinds of character sets.
  const said = [stderr, stdout].map((each) => new TextDecoder("latin1").decode(each)).join("\n");
  assert.match(said, /^(ComprehensiveSR|SCImage|MRImage)$/m, "it does not know what the file is");
  return said.split("\n").filter((line) => /^Error/.test(line));
}

/** Declares a test that needs it, and is skipped with a reason without. */
export function testWithDicom3tools(name: string, body: () => Promise<void>): void {
  if (found || DEMANDED) return Deno.test(name, body);
  const reason = `skipped: there is no ${PROGRAM}, of Debian's package dicom3tools`;
  Deno.test({ name: `${name} (${reason})`, ignore: true, fn: body });
}
