/** The checklists of journals, filled in with what an evaluation knows. */
import { subject } from "../page/format.ts";
import { VERSION } from "../version.ts";
import { type Checklist, type ChecklistItem, CHECKLISTS } from "./checklist_items.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";

/**
 * TRIPOD+AI's and CLAIM's items in Markdown, with what is known from the evaluation and the model's file,
 * and what a person must write. Titles are our own words: the published lists say what each item asks for.
 *
 * @param date when the evaluation was made
 */
export function evaluationChecklist(evaluation: ModelEvaluation, date: Date): string {
  const { card, file, data } = evaluation;
  return [
    `# Reporting checklists: ${_text(subject(card.task, card.plane))}`,
    `Model '${_text(file)}', evaluated on exams in '${_text(data)}', ` +
    `${
      date.toISOString().slice(0, 10)
    }, by MRNet for Deno ${VERSION}. Nothing here is said that the ` +
    "run does not know. **To write** is what only a person knows; read what is filled in too.",
    ...CHECKLISTS.map((each) => _checklist(each, evaluation)),
  ].join("\n\n") + "\n";
}

function _checklist({ name, source, items }: Checklist, evaluation: ModelEvaluation): string {
  const rows = items.map((item) => _row(item, evaluation));
  const open = rows.filter(({ rest }) => rest !== undefined).length;
  return [
    `## ${name}`,
    `${source}. Of ${items.length} items, ${
      items.length - open
    } are filled in, and a person must write ` +
    `something for ${open}.`,
    [
      "| Item | About | From this run | To write |",
      "| --- | --- | --- | --- |",
      ...rows.map(({ number, title, known, rest }) =>
        `| ${number} | ${title} | ${known.map(_text).join(" ")} | ${rest ?? ""} |`
      ),
    ].join("\n"),
  ].join("\n\n");
}

/** An item, filled in; if nothing is known of it, all is to be written. */
function _row([number, title, facts, rest]: ChecklistItem, evaluation: ModelEvaluation) {
  const known = facts?.(evaluation) ?? [];
  return { number, title, known, rest: rest ?? (known.length === 0 ? "all of it" : undefined) };
}

/** A text from a file as one line of Markdown that nothing in it can leave. */
function _text(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").replace(/[\\|<>*_`[\]]/g, "\\$&").trim();
}
