/** Exams that are in no dataset: files that are chosen or dropped on the page, and their planes. */
import { planeOfName } from "./plane_name.js";
import { areExams, chosenFiles, droppedFiles } from "./study_files.js";

const PLANES = ["sagittal", "coronal", "axial"];

const find = (selector) => document.querySelector(selector);

/** Which button opens which choice of files. */
const INPUTS = {
  "#open": "#files",
  "#open-empty": "#files",
  "#open-folder": "#folder",
  "#open-folder-empty": "#folder",
};

/** Answers whoever was asked last; at most one dialog is open. */
let answer = (_planes) => {};

/** Asks which file is in which plane; a name that speaks of one is a first guess, and nothing else is. */
function choosePlanes(given) {
  answer(undefined);
  const dialog = find("#planes-dialog");
  const rows = given.map(({ file }) => {
    const row = document.createElement("label");
    row.className = "choice";
    const name = document.createElement("span");
    name.textContent = file.name;
    const select = document.createElement("select");
    const guessed = planeOfName(file.name);
    if (guessed === undefined) select.append(new Option("choose…", ""));
    select.append(...PLANES.map((plane) => new Option(plane, plane)));
    select.value = guessed ?? "";
    row.append(name, select);
    return row;
  });
  find("#planes-choices").replaceChildren(...rows);
  const chosen = () => rows.map((row) => row.querySelector("select").value);
  const fault = find("#planes-fault");
  fault.hidden = true;
  dialog.showModal();
  return new Promise((resolve) => {
    answer = resolve;
    find("#planes-read").onclick = (event) => {
      const unchosen = chosen().includes("");
      if (!unchosen && new Set(chosen()).size === given.length) return;
      event.preventDefault();
      fault.hidden = false;
      fault.textContent = unchosen
        ? "Choose the plane of each file."
        : "Two files have the same plane.";
    };
    dialog.onclose = () => {
      // A closing is told of later, when the dialog may be open again for other files.
      if (dialog.open) return;
      const planes = dialog.returnValue === "read" ? chosen() : undefined;
      dialog.returnValue = "";
      resolve(planes);
    };
  });
}

/**
 * Takes files that are chosen or dropped anywhere on the page.
 *
 * @param {(given: object[], planes?: string[]) => void} onFiles called with `.npy` files once their planes
 *   are known, and with the files of a study
 * @param {(words: string) => void} onFault told what is wrong with them
 */
export function takeFiles(onFiles, onFault) {
  const take = async (given) => {
    if (given.length === 0) return;
    if (!areExams(given)) return await onFiles(given);
    if (given.length > PLANES.length) return onFault("Give at most three files, one a plane.");
    const planes = await choosePlanes(given);
    if (planes !== undefined) await onFiles(given, planes);
  };
  for (const [button, input] of Object.entries(INPUTS)) {
    find(button).addEventListener("click", () => find(input).click());
  }
  for (const input of new Set(Object.values(INPUTS))) {
    find(input).addEventListener("change", async ({ target }) => {
      await take(chosenFiles(target.files));
      target.value = "";
    });
  }
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    find("#drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) find("#drop").hidden = true;
  });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    find("#drop").hidden = true;
    take(await droppedFiles(event.dataTransfer));
  });
}
