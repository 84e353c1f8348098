/**
 * Has the service take in exams of files, and asks which series of a study is meant.
 */
import { ask } from "./api.js";

const find = (selector) => document.querySelector(selector);

/**
 * Sends files: `.npy` files with their planes, or those of a study without.
 *
 * @param {import("./study_files.js").GivenFile[]} given
 * @param {string[]} [planes] of each file
 * @returns {Promise<object>} the exam as the page knows it
 * @throws {Error} with the service's own words if it is none, or if no series was chosen
 */
export async function takeIn(given, planes) {
  const form = new FormData();
  given.forEach(({ file, path }, index) => form.append(planes?.[index] ?? "study", file, path));
  return await withSeriesChosen(async (chosen) => {
    form.delete("series");
    for (const choice of chosen) form.append("series", choice);
    return await (await ask("viewer/exams", { method: "POST", body: form })).json();
  });
}

/**
 * Asks for a study, and if several series could be meant, which one is.
 *
 * @template T
 * @param {(chosen: string[]) => Promise<T>} send is given what was chosen, nothing at first
 * @throws {Error} with the service's own words if it is none, or if no series was chosen
 */
export async function withSeriesChosen(send) {
  let chosen = [];
  while (true) {
    try {
      return await send(chosen);
    } catch (error) {
      if (error.candidates === undefined) throw error;
      chosen = await chooseSeries(error.candidates);
    }
  }
}

/** Asks which of several series is meant, plane by plane. */
function chooseSeries(candidates) {
  const dialog = find("#series-dialog");
  const planes = [...new Set(candidates.map(({ plane }) => plane))];
  const rows = planes.map((plane) => {
    const row = document.createElement("label");
    row.className = "choice";
    const name = document.createElement("span");
    name.textContent = plane[0].toUpperCase() + plane.slice(1);
    const select = document.createElement("select");
    const own = candidates.filter((each) => each.plane === plane);
    select.append(...own.map((each) => new Option(seriesWords(each), each.choice)));
    row.append(name, select);
    return row;
  });
  find("#series-choices").replaceChildren(...rows);
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.onclose = () => {
      const chosen = dialog.returnValue === "read";
      dialog.returnValue = "";
      if (chosen) resolve(rows.map((row) => row.querySelector("select").value));
      else reject(new Error("The study is not shown: no series was chosen."));
    };
  });
}

/** A series in words. */
export function seriesWords({ description, series, part, sequence, slices, rows, columns }) {
  return [
    description || series,
    part,
    sequence,
    `${slices} slices of ${rows}×${columns}`,
  ].filter(Boolean).join(" · ");
}
