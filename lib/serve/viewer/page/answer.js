/**
 * How the page shows what a model says: rows of a list of terms.
 *
 * @module
 */

/** From where on a model calls an exam positive, and how that was found. */
export function thresholdWords({ threshold, chosen }) {
  const from = chosen === undefined
    ? "its file names no operating point"
    : `chosen on ${chosen} exams`;
  return `Positive from ${threshold.toFixed(3)} on (${from}).`;
}

/** A probability as a bar and a figure, with the threshold on it where there is one. */
export function probabilityRow(title, probability, verdict, threshold) {
  const row = document.createElement("div");
  row.className = verdict === undefined ? "" : "main-row";
  const term = document.createElement("dt");
  term.textContent = title[0].toUpperCase() + title.slice(1);
  const bar = document.createElement("dd");
  bar.className = "bar";
  bar.setAttribute("aria-hidden", "true");
  const value = document.createElement("div");
  value.className = "value";
  value.style.width = `${100 * probability}%`;
  bar.append(value);
  if (threshold !== undefined) {
    const mark = document.createElement("div");
    mark.className = "threshold";
    mark.style.left = `${100 * threshold}%`;
    bar.append(mark);
  }
  const figure = document.createElement("dd");
  figure.className = "figure";
  figure.textContent = probability.toFixed(3) + (verdict === undefined ? "" : ` ${verdict}`);
  row.append(term, bar, figure);
  return row;
}

/** A line below the probabilities. */
export function note(text) {
  const row = document.createElement("div");
  const [term, words] = [document.createElement("dt"), document.createElement("dd")];
  term.className = "unseen";
  term.textContent = "Note";
  words.className = "note";
  words.textContent = text;
  row.append(term, words);
  return row;
}
