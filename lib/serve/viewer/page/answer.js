/** How the page shows what a model says: rows of a list of terms. */
import { decisionsDiffer, outcomeOf } from "./verdict.js";

const PLANES = ["sagittal", "coronal", "axial"];

/**
 * Shows what a model says of an exam. The rows are there before the numbers, so that what stands below
 * them does not move.
 *
 * @param {HTMLDListElement} list
 * @param {object} asked
 * @param {object} asked.model
 * @param {object} [asked.second] the model whose answer stands beside it
 * @param {object[]} asked.models all there are
 * @param {object} asked.exam
 * @param {object} [asked.reading] what they say, once that is known
 * @param {string} [asked.fault] why they say nothing
 * @returns {string} what is to be said aloud of it
 */
export function showProbabilities(list, { model, second, models, exam, reading, fault }) {
  const said = reading?.predictions.find((each) => each.model === model.name);
  const lacks = lackOf(model, exam);
  const isReading = reading === undefined && fault === undefined;
  // What a model lacks is said with what the planes that are there have told.
  const why = fault ?? (isReading ? undefined : lacks);
  const title = rowTitle(model);
  const verdict = said === undefined
    ? undefined
    : verdictOn(said.decision, exam.labels[model.task]);
  const others = besides(model, models, reading);
  const beside = second && secondOf(second, { exam, reading });
  const differ = decisionsDiffer(said, beside?.said);
  list.replaceChildren(
    probabilityRow(title, said?.probability, { threshold: model.threshold, verdict }),
    ...beside === undefined ? [] : [
      probabilityRow(beside.title, beside.said?.probability, {
        threshold: second.threshold,
        verdict: beside.verdict,
      }),
    ],
    ...others.map(([plane, each]) => probabilityRow(plane, each)),
    note(why ?? (lacks === undefined ? thresholdWords(model) : "Reading…")),
    ...beside === undefined || fault !== undefined ? [] : [
      note(`${beside.title}: ${beside.lacks ?? thresholdWords(second)}`),
    ],
    ...differ ? [note(DIFFER)] : [],
  );
  list.ariaBusy = String(isReading);
  if (isReading) return "";
  const secondSaid = beside?.said &&
    `${beside.title} probability ${beside.said.probability.toFixed(3)}, ${beside.verdict}`;
  if (said !== undefined) {
    const first = `${title} probability ${said.probability.toFixed(3)}, ${verdict}`;
    return [first, secondSaid, differ ? DIFFER : undefined].filter(Boolean).join(". ");
  }
  const told = others.filter(([, each]) => each !== undefined)
    .map(([plane, each]) => `${plane} probability ${each.toFixed(3)}`);
  return [why, ...told, secondSaid].filter(Boolean).join(" ");
}

/** What stands where two models decide differently. */
const DIFFER = "The two models decide differently.";

/** What a second model says of an exam, or what it lacks. */
function secondOf(model, { exam, reading }) {
  const said = reading?.predictions.find((each) => each.model === model.name);
  return {
    title: `Second, ${rowTitle(model).toLowerCase()}`,
    said,
    verdict: said && verdictOn(said.decision, exam.labels[model.task]),
    lacks: lackOf(model, exam),
  };
}

function rowTitle({ planes }) {
  return planes.length > 1 ? "Combined" : planes[0];
}

/** Which planes an exam lacks for a model, in words; undefined if none. */
function lackOf(model, exam) {
  const missing = model.planes.filter((plane) => !exam.planes.includes(plane));
  if (missing.length === 0) return undefined;
  return `This exam has no ${missing.join(", ")} plane, which this model needs.`;
}

function verdictOn(decision, label) {
  const outcome = outcomeOf(decision, label);
  return `${decision ? "positive" : "negative"}${outcome === undefined ? "" : `, ${outcome}`}`;
}

/**
 * The probability of each plane by itself: of a model that reads several, or by other models of the
 * finding that read another plane alone. Undefined as long as it is not known.
 */
function besides({ task, planes, readings }, models, reading) {
  const others = models.filter((each) => each.task === task && each.planes.length === 1);
  const keyOf = (plane) =>
    planes.length > 1
      ? readings[plane]
      : others.find((each) => !planes.includes(plane) && each.planes.includes(plane))
        ?.readings[plane];
  return PLANES.map((plane) => [plane, keyOf(plane)])
    .filter(([, key]) => key !== undefined)
    .map(([plane, key]) => [plane, reading?.planes[key]?.probability]);
}

/** From where on a model calls an exam positive, and how that was found. */
function thresholdWords({ threshold, chosen, recalibration }) {
  const from = chosen === undefined
    ? "its file names no operating point"
    : `chosen on ${chosen} exams`;
  const made = recalibration === undefined ? "" : ` Probabilities: ${recalibration}.`;
  return `Positive from ${threshold.toFixed(3)} on (${from}).${made}`;
}

/**
 * A probability as a bar and a number, and a dash as long as there is none.
 *
 * @param {string} title
 * @param {number} [probability]
 * @param {{ threshold: number, verdict?: string }} [main] of the row that the answer is in
 */
function probabilityRow(title, probability, main) {
  const row = document.createElement("div");
  row.className = main === undefined ? "" : "main-row";
  const term = document.createElement("dt");
  term.textContent = title[0].toUpperCase() + title.slice(1);
  const bar = document.createElement("dd");
  bar.className = "bar";
  bar.setAttribute("aria-hidden", "true");
  const value = document.createElement("div");
  value.className = "value";
  value.style.width = `${100 * (probability ?? 0)}%`;
  bar.append(value);
  if (main !== undefined) {
    const mark = document.createElement("div");
    mark.className = "threshold";
    mark.style.left = `${100 * main.threshold}%`;
    bar.append(mark);
  }
  const number = document.createElement("dd");
  number.className = "number";
  const verdict = main?.verdict === undefined ? "" : ` ${main.verdict}`;
  number.textContent = probability === undefined ? "–" : probability.toFixed(3) + verdict;
  row.append(term, bar, number);
  return row;
}

/** A line below the probabilities. */
function note(text) {
  const row = document.createElement("div");
  const [term, words] = [document.createElement("dt"), document.createElement("dd")];
  term.className = "unseen";
  term.textContent = "Note";
  words.className = "note";
  words.textContent = text;
  row.append(term, words);
  return row;
}

/**
 * The map of a plane and whose it is, as `PlanePanel.explain` takes them.
 *
 * @param {string} plane
 * @param {object} asked the model that was chosen, all models, and what they say so far
 */
export function mapOf(plane, { model: chosen, models, reading }) {
  // Where the chosen model does not read a plane, another model of the same finding may.
  const other = models.find(({ task, readings }) => task === chosen.task && plane in readings);
  const own = plane in chosen.readings;
  const by = own ? chosen : other;
  const which = by?.planes.length > 1 ? `${by.name}/${plane}` : by?.name;
  return [
    reading?.planes[by?.readings[plane]],
    `Map by ${which}${own ? "" : ", not the model chosen"}`,
  ];
}
