/**
 * The commands that a document tells somebody to practise with, run as they stand there.
 */
import assert from "node:assert/strict";
import type { TemporaryFolder } from "./folders.ts";

/** The folder of the project. */
export const ROOT = new URL("../../", import.meta.url);

/** The text of a document. */
export function documentText(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** The least AUC on exams that were not trained on. */
export const LEARNT = 0.8;

/** The commands of the block of shell that has some words, a line each. */
export function commandsIn(document: string, words = "--out data/practice"): string[] {
  const blocks = [...document.matchAll(/```sh\n([^`]*)```/g)]
    .filter(([, block]) => block.includes(words));
  assert.equal(blocks.length, 1);
  return blocks[0][1].replace(/\\\n\s*/g, "").trim().split("\n");
}

/** Runs commands as they stand in a document; gives what the last one printed. */
export async function runCommands(
  folder: TemporaryFolder,
  commands: readonly string[],
): Promise<string> {
  let out = "";
  for (const command of commands) {
    const line = command.replace(/^deno run -A cli\.ts/, `$DENO run -A '${ROOT.pathname}cli.ts'`);
    assert.notEqual(line, command);
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", line],
      cwd: folder.path,
      env: { DENO: Deno.execPath(), NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    out = new TextDecoder().decode(stdout);
  }
  return out;
}
