/**
 * What is said of a plane's exam beside its image: which series of a study it is, what is odd about
 * that, and why not to rely on the models' answer.
 */
import { seriesWords } from "./dropped.js";

/**
 * Shows it on the panel of each plane.
 *
 * @param {Map<string, { element: HTMLElement }>} panels by plane
 * @param {object} exam
 * @param {object} [reading] what the models say, once that is known
 */
export function showRemarks(panels, exam, reading) {
  for (const [plane, { element }] of panels) {
    show(element, { series: exam.series?.[plane], odd: reading?.odd?.[plane] });
  }
}

function show(panel, { series, odd }) {
  const name = panel.querySelector(".series");
  name.hidden = series === undefined;
  name.textContent = series === undefined ? "" : seriesWords(series);
  const remarks = [
    ...odd === undefined ? [] : [oddWords(odd)],
    ...(series?.remarks ?? []).map((each) => `${each[0].toUpperCase()}${each.slice(1)}.`),
  ];
  const list = panel.querySelector(".remarks");
  list.hidden = remarks.length === 0;
  list.replaceChildren(...remarks.map((words) => {
    const item = document.createElement("li");
    item.textContent = words;
    return item;
  }));
}

/** What is to be said aloud of the planes that are odd. */
export function oddSaid(reading) {
  return Object.entries(reading?.odd ?? {}).map(([plane, odd]) => `${plane}: ${oddWords(odd)}`);
}

function oddWords(odd) {
  return `Do not rely on the answer: ${odd}.`;
}
