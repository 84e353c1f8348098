/**
 * Reader mode: the page asks a person about each exam first, and then tells labels and the models' answers;
 * and how reader and model compare.
 */
import { ask } from "./api.js";
import { TASKS } from "./titles.js";

const find = (selector) => document.querySelector(selector);

/** What may be said of a finding. */
const ANSWERS = [["1", "Present"], ["0", "Absent"]];

/** Whether an exam waits for the reader's answer; never where there is no reader. */
export function isHidden(exam, reader) {
  return reader !== undefined && reader.tasks.some((task) => !(task in (exam.answers ?? {})));
}

/**
 * Shows the questions about an exam, or what was answered.
 *
 * @param {object} exam
 * @param {{ tasks: string[] }} [reader] none if nobody is asked
 */
export function showQuestions(exam, reader) {
  const form = find("#reader");
  const own = find("#own-answer");
  form.hidden = !isHidden(exam, reader);
  own.hidden = reader === undefined || !form.hidden;
  if (!own.hidden) own.textContent = `Your answer: ${answerWords(exam.answers)}`;
  if (form.hidden) return find("#reader-questions").replaceChildren();
  const open = reader.tasks.filter((task) => !(task in (exam.answers ?? {})));
  find("#reader-fault").hidden = true;
  find("#reader-questions").replaceChildren(...open.map(question));
}

/** What a reader said, such as `ACL tear absent`. */
export function answerWords(answers) {
  return Object.entries(TASKS).filter(([task]) => task in answers)
    .map(([task, title]) => `${title} ${answers[task] === 1 ? "present" : "absent"}`).join(", ");
}

/**
 * Takes what is answered.
 *
 * @param {() => object} current the exam on show
 * @param {(exam: object) => void} onAnswered called when the service has the answer
 */
export function takeAnswers(current, onAnswered) {
  const form = find("#reader");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const exam = current();
    const given = new URLSearchParams(
      [...form.querySelectorAll(":checked")].map(({ name, value }) => [name, value]),
    );
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const path = `viewer/answers/${exam.split}/${exam.id}?${given}`;
      Object.assign(exam, await (await ask(path, { method: "POST" })).json());
      onAnswered(exam);
    } catch (error) {
      find("#reader-fault").hidden = false;
      find("#reader-fault").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}

function question(task) {
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = TASKS[task];
  const choices = ANSWERS.map(([value, title]) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: task, value, required: true });
    label.className = "check";
    label.append(input, ` ${title}`);
    return label;
  });
  group.append(legend, ...choices);
  return group;
}

/**
 * Shows how the reader and a model compare on the exams of a split, and lets another model be chosen.
 *
 * @param {{ name: string, title: string }[]} models
 * @param {string} name of the one that is shown at first
 * @param {string} split
 * @param {(words: string) => void} onFault told why another one cannot be shown
 */
export async function showComparison(models, name, split, onFault) {
  const select = find("#compare-model");
  select.replaceChildren(...models.map((each) => new Option(each.title, each.name)));
  select.value = name;
  select.closest("label").hidden = models.length < 2;
  const fill = () => compare(models.find((each) => each.name === select.value), split);
  select.oninput = () =>
    fill().catch((error) => {
      find("#compare-dialog").close();
      onFault(error.message);
    });
  await fill();
  find("#compare-dialog").showModal();
}

async function compare(model, split) {
  const query = new URLSearchParams({ split, model: model.name });
  const { answered, unlabelled, unread, positives, negatives, reader, model: own, kappa, p } =
    await (await ask(`viewer/comparison?${query}`)).json();
  // Another one may have been chosen meanwhile.
  if (find("#compare-model").value !== model.name) return;
  find("#compare-title").textContent = `Reader and model: ${model.title}`;
  const exams = (count) => `${count} exam${count === 1 ? "" : "s"}`;
  const left = [
    unlabelled > 0 ? `${unlabelled} without a label left out` : "",
    unread > 0 ? `${unread} not read by the model yet left out` : "",
  ].filter(Boolean);
  find("#compare-exams").textContent = [
    `${exams(answered)} of ${split} answered`,
    `${positives} with the finding, ${negatives} without`,
    ...left,
  ].join("; ");
  const rows = [
    ["Sensitivity", interval(reader.sensitivity), interval(own.sensitivity), number(p.sensitivity)],
    ["Specificity", interval(reader.specificity), interval(own.specificity), number(p.specificity)],
    ["AUC", "", interval(own.auc), ""],
  ];
  find("#compare-rows").replaceChildren(...rows.map(([title, ...values]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = title;
    row.append(
      head,
      ...values.map((value) => {
        const cell = document.createElement("td");
        cell.textContent = value;
        return cell;
      }),
    );
    return row;
  }));
  find("#compare-kappa").textContent = `Cohen's kappa of the two: ${interval(kappa)}.`;
}

/** A number of three digits, with the sign that is as wide as a digit, and a dash where the exams tell none. */
function number(value) {
  return value === null ? "–" : value.toFixed(3).replace("-", "−");
}

function interval({ value, low, high }) {
  if (value === null) return "–";
  return low === null ? number(value) : `${number(value)} (${number(low)} to ${number(high)})`;
}
