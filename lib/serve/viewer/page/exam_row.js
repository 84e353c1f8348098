/** A row of the list of exams: the exam's name, what the models say about it, and its outcome or label. */
import { decisionsDiffer } from "./verdict.js";

const OUTCOMES = {
  TP: "true positive",
  FP: "false positive",
  TN: "true negative",
  FN: "false negative",
};

/** What an exam is called: by its files, if it was dropped, and a study of a PACS by its day and its description. */
export function nameOf({ id, files, at, date, description }) {
  if (at !== undefined) {
    const day = date === "" ? at.slice(0, 10) : date.replace(/^(....)(..)(..)$/, "$1-$2-$3");
    return `${day} ${description || `…${id.slice(-10)}`}`;
  }
  if (files === undefined) return id;
  return files.length > 1 ? `${files[0]} and ${files.length - 1} more` : files[0];
}

/** What a row's element is called. */
export function rowId({ split, id }) {
  return `exam-${split}-${id}`;
}

/** An empty row. */
export function makeRow(exam) {
  const row = document.createElement("li");
  row.id = rowId(exam);
  row.setAttribute("role", "option");
  for (const name of ["name", "probability", "probability second", "tag"]) {
    const cell = document.createElement("span");
    cell.className = name;
    row.append(cell);
  }
  return { element: row, shown: [] };
}

/**
 * Has a row show what is known; only what has changed is touched.
 *
 * @param {{ element: HTMLElement, shown: unknown[] }} row
 * @param {object} entry of the list
 * @param {object} how
 * @param {boolean} how.isChosen whether the exam is on show
 * @param {boolean} how.isRead whether the models are reading it
 * @param {object} [how.second] the model whose answer stands beside the model's
 */
export function showRow(row, { exam, own, verdict, none, why, outcome, second }, how) {
  const label = own === undefined ? "" : own === 1 ? "present" : "absent";
  const isRead = verdict === undefined && how.isRead;
  const answered = isRead ? "reading…" : none ?? verdict?.probability.toFixed(3) ?? "";
  const differ = decisionsDiffer(verdict, second.verdict);
  const beside = how.second && (second.verdict?.probability.toFixed(3) ?? "–");
  const secondWhy = how.second && `${how.second.name}: ${secondWords(second)}`;
  const name = nameOf(exam);
  const shown = [
    ...[name, how.isChosen, answered, why ?? "", outcome, label],
    ...[beside, differ, secondWhy],
  ];
  if (shown.every((each, index) => each === row.shown[index])) return;
  row.shown = shown;
  const [title, answer, other, tag] = row.element.children;
  title.textContent = name;
  row.element.classList.toggle("study", exam.at !== undefined);
  // In full, where there is no room for it.
  title.title = fullNameOf(exam);
  row.element.setAttribute("aria-selected", String(how.isChosen));
  answer.textContent = answered;
  answer.title = why ?? "";
  other.hidden = beside === undefined;
  other.title = secondWhy ?? "";
  other.replaceChildren(...beside === undefined ? [] : secondCell(beside, differ));
  tag.textContent = outcome ?? label;
  tag.title = OUTCOMES[outcome] ?? "";
  tag.className = `tag ${outcome ?? "none"}`;
}

/** What an exam is called in full. */
function fullNameOf(exam) {
  const { id, files, at } = exam;
  if (at === undefined) return files?.join(", ") ?? id;
  return `${nameOf(exam)}, study ${id}, ${new Date(at).toLocaleString()}`;
}

/** What a second model says, in words. */
function secondWords({ verdict, why }) {
  if (verdict !== undefined) return verdict.decision ? "positive" : "negative";
  return why ?? "not read yet";
}

/** What stands in a row of a second model's answer, and what is read aloud of it. */
function secondCell(answer, differ) {
  const span = (className, text) => {
    const element = document.createElement("span");
    element.className = className;
    element.textContent = text;
    return element;
  };
  const cell = [span("unseen", "second model "), span("", answer)];
  if (!differ) return cell;
  const sign = span("differ", "≠ ");
  sign.setAttribute("aria-hidden", "true");
  return [sign, ...cell, span("unseen", ", decisions differ")];
}
