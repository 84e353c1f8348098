/** A model's card as lines for a terminal. */
import type { ModelDescription } from "./describe.ts";
import type { ModelResults } from "./results.ts";
import { cardSections, titleOf } from "./sections.ts";

/** How wide the lines are if nothing else is said: a terminal's usual width. */
const WIDTH = 80;

/** The columns of a row's name, those ahead of it among them; a SHA-256 has room beside it. */
const NAME_COLUMNS = 16;

/** As in `verbs.ts`, where it is described. */
export async function cardLines(
  model: ModelDescription,
  results: readonly ModelResults[] = [],
  width: number = WIDTH,
): Promise<string[]> {
  const lines: string[] = [..._wrapped(titleOf(model), width)];
  for (const { title, paragraphs = [], rows = [] } of await cardSections(model, results)) {
    lines.push("", ..._wrapped(title.toUpperCase(), width));
    for (const text of paragraphs) {
      lines.push(..._wrapped(text, width - 2).map((line) => `  ${line}`));
    }
    for (const [name, value] of rows) lines.push(..._row(name, value, width));
  }
  return lines;
}

function _row(name: string, value: string, width: number): string[] {
  const indent = " ".repeat(NAME_COLUMNS);
  const lines = value.split("\n").flatMap((line) => _wrapped(line, width - NAME_COLUMNS));
  // A name that leaves no room for a space has a line of its own.
  const head = `  ${name}`;
  const own = head.length < NAME_COLUMNS ? [] : [head];
  const first = own.length > 0 ? indent : head.padEnd(NAME_COLUMNS);
  return [...own, ...lines.map((line, at) => `${at === 0 ? first : indent}${line}`.trimEnd())];
}

/** Text in lines that break between words; a word that is wider than a line is broken too. */
function _wrapped(text: string, width: number): string[] {
  const lines: string[] = [""];
  const pieces = new RegExp(`.{1,${width}}`, "gsu");
  for (const word of text.split(" ").flatMap((word) => word.match(pieces) ?? [word])) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}
