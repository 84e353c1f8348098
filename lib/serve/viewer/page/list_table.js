/** The list of exams as a CSV file: a line an exam, as they stand there, with what is known of each. */
import { TASKS } from "./titles.js";
import { logitOf } from "./verdict.js";

/** The columns of what a model says of an exam. */
const ANSWER = {
  probability: ({ verdict }) => verdict?.probability,
  logit: ({ verdict }) => verdict && logitOf(verdict),
  threshold: ({ model }) => model?.threshold,
  decision: ({ verdict }) => verdict && (verdict.decision ? "positive" : "negative"),
  outcome: ({ outcome }) => outcome,
  note: ({ none, why }) => none && text(`${none}: ${why}`),
};

/** The columns, and what each says of an exam; `label_…` are 1 or 0, empty where nobody knows. */
const COLUMNS = {
  split: ({ exam }) => exam.split,
  id: ({ name }) => text(name),
  ...Object.fromEntries(
    Object.keys(TASKS).map((task) => [`label_${task}`, ({ exam }) => exam.labels[task]]),
  ),
  model: ({ model }) => model && text(model.name),
  task: ({ model }) => model?.task,
  ...ANSWER,
  ...Object.fromEntries(
    Object.entries({ model: ({ model }) => model && text(model.name), ...ANSWER })
      .map(([name, of]) => [
        `second_${name}`,
        ({ second, secondModel: model }) => model && of({ ...second, model }),
      ]),
  ),
};

/**
 * The file's content.
 *
 * @param {object[]} entries of the list
 * @returns {string}
 */
export function listTable(entries) {
  const lines = entries.map((entry) => Object.values(COLUMNS).map((of) => of(entry) ?? ""));
  return [Object.keys(COLUMNS), ...lines].map((values) => `${values.join(",")}\n`).join("");
}

/** A text as a value: quoted where it must be, and never one that a spreadsheet takes for a formula. */
function text(value) {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Has the browser save a file. */
export function saveFile(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
  // The browser may fetch it some time after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
