/**
 * The words that the toolkit does not use: its own old names of things that the field, or plain
 * English, has a name for. They are looked for in code, comments, messages and documents.
 */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** Where they are looked for. */
const ROOTS = ["lib", "mod.ts", "cli.ts", "tools", "bench", "docs", "examples"];

/** The words that stand nowhere, each with its inflections and what to write. */
const NOWHERE: readonly [words: string, instead: string][] = [
  ["winner winners won", "argmax, selected slice"],
  ["judge judges judged judging", "evaluate"],
  ["minimal", "Winograd"],
  ["mend mends mended mending", "hint, fix"],
  ["figures", "metrics, timings"],
  ["halves", "half precision, phases, ties"],
  ["lag", "inFlight"],
  ["breathe", "yieldToEventLoop"],
  ["stranger strangers", "untrusted clients"],
];

/** The words that no identifier has; in prose they are plain English. */
const NO_IDENTIFIER: readonly [words: string, instead: string][] = [
  ["part parts", "chunk, range, split, fragment"],
  ["place places", "tap, point, index, position"],
];

/** What stands nowhere and is more, or less, than words. */
const PATTERNS: readonly [pattern: RegExp, instead: string][] = [
  [/\b(MOST|LARGEST)_\w+/, "MAX_"],
  [/\b(settleCard|SettledCard|ToldOf\w+|SaidState)\b/, "a noun or verb that says what it is"],
  [/\b(_goneOn|_whatIsLeft|GIVEN_WAY|HELD_UP)\b/, "a noun or verb that says what it is"],
  [/\b(interface|type|class) (Question|Sized)\b/, "StepInput, KernelLaunch"],
  [/\bfunction (turn|finish)\b/, "rotate180, epilogue"],
  [/\bplays (a |the )?GPU/, "software adapter"],
  [/\blayers leave\b/, "activations"],
  [/@throws \{[^}]*\} where\b/, "if"],
];

/** Where a word has to stay. */
const EXCEPTIONS: readonly { file: RegExp; text: RegExp; why: string }[] = [
  { file: /./, text: /\bBlobPart\b/g, why: "a type of the web" },
  {
    file: /^lib\/(files|logs\/run_folder|phantom\/unfinished)\.ts$/,
    text: /\.\(?part\b/g,
    why: "the ending of a file that is being written",
  },
  { file: /./, text: /\bplaceParameters\b/g, why: "a verb" },
  {
    file: /^lib\/(serve|pacs|multipart\.ts)/,
    text: /\b_?(Body)?parts?\b/gi,
    why: "a part of a body, as RFC 2046 and RFC 7578 call it",
  },
  { file: /^lib\/imaging\//, text: /\bbodyPart\b/g, why: "DICOM's Body Part Examined" },
  {
    file: /^lib\/(imaging|commands)\//,
    text: /\bpart\b/g,
    why: "a key of what inspect prints as JSON",
  },
  {
    file: /^lib\/explain\/write\.ts$/,
    text: /\b(channels_won|winners)\b/g,
    why: "keys of the file of contributions",
  },
];

/** The types that had two meanings; each is declared once at most. */
const ONE_MEANING = ["Work", "Reading"];

const READ = /\.(ts|js|py|md|html|css)$/;
const CODE = /\.(ts|js)$/;

/** The files that are read, by their path from the root. */
function files(path: string): string[] {
  if (Deno.statSync(new URL(path, ROOT)).isFile) return [path];
  return [...Deno.readDirSync(new URL(`${path}/`, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(`${path}/${name}`) : READ.test(name) ? [`${path}/${name}`] : []
  ).sort();
}

/** All files that are searched. */
function searched(): string[] {
  return ROOTS.flatMap(files);
}

/** The words of a line, those that identifiers are made of apart. */
function wordsIn(line: string): string[] {
  return (line.match(/\p{L}+/gu) ?? []).flatMap((word) =>
    word.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2").split(
      " ",
    )
  ).map((word) => word.toLowerCase());
}

/** The code of a file: comments and what stands between quotes are left out, line by line. */
function codeOf(text: string): string {
  let code = "";
  // For each template that is open, how many braces are open in its expression.
  const templates: number[] = [];
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    if (inText) {
      if (text[at] === "\\") at++;
      else if (text[at] === "`") inText = templates.pop() === undefined;
      else if (text.startsWith("${", at)) {
        inText = false;
        at++;
      } else if (text[at] === "\n") code += "\n";
      continue;
    }
    const skipped = /^(?:\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/.exec(
      text.slice(at, at + 20_000),
    )?.[0];
    if (skipped !== undefined) {
      code += " " + skipped.replace(/[^\n]/g, "");
      at += skipped.length - 1;
    } else if (text[at] === "`") {
      templates.push(0);
      inText = true;
    } else if (text[at] === "}" && templates.at(-1) === 0) inText = true;
    else {
      if (templates.length > 0 && text[at] === "{") templates[templates.length - 1]++;
      if (templates.length > 0 && text[at] === "}") templates[templates.length - 1]--;
      code += text[at];
    }
  }
  return code;
}

/** What is found in a file, a line each. */
function found(path: string): string[] {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const code = CODE.test(path) ? codeOf(text).split("\n") : [];
  const lists = [NOWHERE, NO_IDENTIFIER].map((list) =>
    new Map(list.flatMap(([words, instead]) => words.split(" ").map((word) => [word, instead])))
  );
  return text.split("\n").flatMap((line, index) => {
    const kept = EXCEPTIONS.filter(({ file }) => file.test(path));
    const free = (line: string) => kept.reduce((rest, { text }) => rest.replace(text, ""), line);
    const say = (word: string, instead: string) => `${path}:${index + 1}: ${word}: use ${instead}`;
    return [
      ...wordsIn(free(line)).flatMap((word) =>
        lists[0].has(word) ? [say(word, lists[0].get(word)!)] : []
      ),
      ...wordsIn(free(code[index] ?? "")).flatMap((word) =>
        lists[1].has(word) ? [say(word, lists[1].get(word)!)] : []
      ),
      ...PATTERNS.flatMap(([pattern, instead]) => {
        const match = pattern.exec(free(line))?.[0];
        return match === undefined ? [] : [say(match, instead)];
      }),
    ];
  });
}

Deno.test("the toolkit's old names are gone", () => {
  assert.deepEqual(searched().flatMap(found), []);
});

Deno.test("no type has two meanings", () => {
  for (const name of ONE_MEANING) {
    const declared = searched().filter((path) =>
      new RegExp(`^(export )?(interface|type|class) ${name}\\b`, "m").test(
        Deno.readTextFileSync(new URL(path, ROOT)),
      )
    );
    assert.ok(declared.length <= 1, `${name} is declared in ${declared.join(", ")}`);
  }
});

Deno.test("words are found in identifiers and prose, and code is told from text", () => {
  assert.deepEqual(wordsIn("toHTMLPart(a_b)"), ["to", "html", "part", "a", "b"]);
  const text = 'a; // b\nc("d") + `e${f({ g: `h` })}i`;\n/* j\nk */ l';
  assert.deepEqual(codeOf(text).match(/[a-z]/g), ["a", "c", "f", "g", "l"]);
  assert.equal(codeOf(text).split("\n").length, text.split("\n").length);
});
