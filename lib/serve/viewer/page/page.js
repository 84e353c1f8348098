/**
 * The viewer's page: which exam is on show, by which model, and what keys and files do.
 *
 * @module
 */
import { ask, lines } from "./api.js";
import { note, probabilityRow, thresholdWords } from "./answer.js";
import { ExamList, outcomeOf } from "./exam_list.js";
import { takeFiles } from "./files.js";
import { PlanePanel } from "./plane_panel.js";
import { volumeOf } from "./volume.js";

const PLANES = ["sagittal", "coronal", "axial"];
const TASKS = { abnormal: "Abnormal", acl: "ACL tear", meniscus: "Meniscal tear" };

const find = (selector) => document.querySelector(selector);

/** Shared by the panels. */
const settings = { mapOn: true, opacity: 0.75, colors: [] };
const panels = new Map(PLANES.map((plane) => [plane, new PlanePanel(plane, settings)]));
find("#planes").append(...[...panels.values()].map(({ element }) => element));
const list = new ExamList((exam) => show(exam));

let setup = { exams: [], models: [], faults: [] };
let current;
/** What the models say about the exam on show. */
let reading;
/** The verdicts that are on their way. */
let following = new AbortController();

await start();

async function start() {
  try {
    setup = await (await ask("viewer/setup")).json();
  } catch (error) {
    return tell(error.message);
  }
  settings.colors = setup.colors;
  if (setup.faults.length > 0) tell(setup.faults.join(" "));
  drawScale();
  const splits = [...new Set(setup.exams.map(({ split }) => split))];
  fill("#split", splits.map((split) => [split, split]));
  find("#split").closest("label").hidden = splits.length < 2;
  fill("#model", setup.models.map((model) => [model.name, titleOf(model)]));
  document.body.classList.toggle("has-models", setup.models.length > 0);
  const combined = setup.models.find(({ kind }) => kind === "combined");
  if (combined !== undefined) find("#model").value = combined.name;
  const tasks = Object.keys(TASKS).filter((task) =>
    setup.exams.some(({ labels }) => task in labels) ||
    setup.models.some((model) => model.task === task)
  );
  fill("#task", tasks.map((task) => [task, TASKS[task]]));
  find("#task").closest("label").hidden = tasks.length < 2;
  if (model() !== undefined) find("#task").value = model().task;
  if (model() === undefined && tasks.includes("acl")) find("#task").value = "acl";
  list.useModel(model());
  list.set([...setup.exams]);
  toggleList(setup.exams.length > 0 && !isNarrow());
  const [, split, id] = /^#(\w+)\/([\w-]+)$/.exec(location.hash) ?? [];
  const linked = setup.exams.find((exam) => exam.split === split && exam.id === id);
  if (linked !== undefined) find("#split").value = split;
  list.set([...setup.exams]);
  const first = linked ?? list.first;
  if (first === undefined) showNothing();
  else await show(first);
  followVerdicts();
}

/** The model that was chosen; none where this is a browser of exams. */
function model() {
  return setup.models.find(({ name }) => name === find("#model").value);
}

/** What a model is for; its name too where another is for the same. */
function titleOf({ name, kind, task, planes }) {
  const alike = setup.models.filter((each) =>
    each.kind === kind && each.task === task && each.planes.join() === planes.join()
  );
  const title = `${TASKS[task]}, ${kind === "combined" ? "three planes" : planes[0]}`;
  return alike.length > 1 ? `${title} · ${name}` : title;
}

async function show(exam) {
  const begun = performance.now();
  current = exam;
  reading = undefined;
  find("#empty").hidden = true;
  find(".stepper").hidden = false;
  if (setup.faults.length === 0) tell("");
  if (exam.split !== "dropped") history.replaceState(null, "", `#${exam.split}/${exam.id}`);
  find("#exam-title").textContent = exam.split === "dropped"
    ? `Dropped exam ${exam.id.slice(0, 8)}`
    : `Exam ${exam.id}`;
  document.title = `${exam.id} · MRNet viewer`;
  showLabels(exam);
  list.mark(exam);
  find("#answer").hidden = setup.models.length === 0;
  showAnswer();
  const seen = [];
  for (const [plane, panel] of panels) {
    panel.element.hidden = !exam.planes.includes(plane);
    if (!panel.element.hidden) seen.push(panel.show(volumeOf(exam, plane)));
  }
  await Promise.all(seen);
  if (current !== exam) return;
  // Read by the tests: how long it took until every plane could be seen.
  document.body.dataset.shown = exam.id;
  document.body.dataset.milliseconds = (performance.now() - begun).toFixed(1);
  say(`${find("#exam-title").textContent}, ${exam.planes.join(", ")}`);
  await read(exam);
  prepareNext(exam);
}

async function read(exam) {
  if (setup.models.length === 0) return;
  try {
    const answer = await (await ask(`viewer/reading/${exam.split}/${exam.id}`)).json();
    list.tell(exam, answer.predictions);
    if (current !== exam) return;
    reading = answer;
    showAnswer();
  } catch (error) {
    if (current === exam) tell(error.message);
  }
}

/** The exam that comes next is fetched while somebody looks at this one. */
async function prepareNext(exam) {
  const volumes = exam.planes.map((plane) => volumeOf(exam, plane).whole);
  await Promise.allSettled(volumes);
  const next = current === exam ? list.neighbour(1) : undefined;
  if (next === undefined) return;
  for (const plane of next.planes) volumeOf(next, plane);
}

function showLabels({ labels }) {
  const items = Object.entries(TASKS).filter(([task]) => task in labels).map(([task, title]) => {
    const item = document.createElement("li");
    item.className = labels[task] === 1 ? "present" : "";
    item.textContent = `${title}: ${labels[task] === 1 ? "yes" : "no"}`;
    return item;
  });
  find("#labels").replaceChildren(...items);
}

/** The probabilities by the chosen model, and each plane's map. */
function showAnswer() {
  const chosen = model();
  const rows = find("#probabilities");
  if (chosen === undefined) return;
  const said = reading?.predictions.find((each) => each.model === chosen.name);
  if (said === undefined) {
    const why = reading === undefined
      ? "Reading the exam…"
      : `This model needs the ${chosen.planes.join(", ")} plane.`;
    rows.replaceChildren(note(why));
  } else {
    const label = current.labels[chosen.task];
    const outcome = outcomeOf(said.decision, label);
    const verdict = `${said.decision ? "positive" : "negative"}${
      outcome === undefined ? "" : `, ${outcome}`
    }`;
    const title = chosen.kind === "combined" ? "Combined" : chosen.planes[0];
    rows.replaceChildren(
      probabilityRow(title, said.probability, verdict, chosen.threshold),
      ...besides(chosen, said).map(([plane, { probability }]) =>
        probabilityRow(plane, probability)
      ),
      note(thresholdWords(chosen)),
    );
    say(`${title} probability ${said.probability.toFixed(3)}, ${verdict}`);
  }
  for (const [plane, panel] of panels) {
    // Where the chosen model does not read a plane, another model of the same finding may.
    const other = setup.models.find(({ task, members }) =>
      task === chosen.task && plane in members
    );
    const sha256 = chosen.members[plane] ?? other?.members[plane];
    panel.explain(reading?.planes[sha256]);
  }
}

/** What is said of each plane by itself: by a combination's members, or by other models of the finding. */
function besides({ task, planes }, said) {
  const others = reading.predictions.filter((each) => each.kind === "single" && each.task === task);
  return PLANES
    .map((plane) => [plane, said.planes?.[plane] ?? others.find((each) => each.plane === plane)])
    .filter(([plane, each]) => each !== undefined && (said.planes ?? !planes.includes(plane)));
}

/** Has the exams of the split read one after another, as long as somebody looks at it. */
async function followVerdicts() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const split = find("#split").value;
  if (setup.models.length === 0 || split === "") return;
  try {
    const response = await ask(`viewer/verdicts?split=${split}`, { signal });
    for await (const { id, verdicts } of lines(response)) {
      if (verdicts !== undefined) list.tell({ split, id }, verdicts);
    }
  } catch (error) {
    if (!signal.aborted) tell(error.message);
  }
}

function showNothing() {
  find("#empty").hidden = false;
  find("#answer").hidden = true;
  find(".stepper").hidden = true;
  find("#exam-title").textContent = "No exam yet";
  for (const { element } of panels.values()) element.hidden = true;
}

/** Has the service take in an exam of files, and shows it. */
async function openFiles(files, planes) {
  const form = new FormData();
  files.forEach((file, index) => form.append(planes[index], file, file.name));
  tell("");
  try {
    const exam = await (await ask("viewer/exams", { method: "POST", body: form })).json();
    list.add(exam);
    if (!isNarrow()) toggleList(true);
    await show(exam);
  } catch (error) {
    tell(error.message);
  }
}

/* Controls and keys. */

takeFiles(openFiles, tell);

find("#previous").addEventListener("click", () => step(-1));
find("#next").addEventListener("click", () => step(1));
find("#model").addEventListener("input", () => {
  find("#task").value = model().task;
  list.useModel(model());
  showAnswer();
});
find("#split").addEventListener("input", () => followVerdicts());
find("#task").addEventListener("input", ({ target }) => {
  const other = setup.models.find(({ task }) => task === target.value);
  if (other !== undefined && model()?.task !== target.value) {
    find("#model").value = other.name;
    showAnswer();
  }
  list.useModel(model()?.task === target.value ? model() : undefined);
});
find("#map-on").addEventListener("input", ({ target }) => {
  settings.mapOn = target.checked;
  for (const panel of panels.values()) panel.refresh();
});
find("#opacity").addEventListener("input", ({ target }) => {
  settings.opacity = Number(target.value) / 100;
  drawScale();
  for (const panel of panels.values()) panel.refresh();
});
find("#toggle-list").addEventListener(
  "click",
  ({ target }) => toggleList(target.getAttribute("aria-expanded") !== "true"),
);
find("#help").addEventListener("click", () => find("#help-dialog").showModal());
addEventListener("said", ({ detail }) => say(detail));
addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog")) return;
  if (target.matches("input:not([type=range], [type=checkbox]), select")) return;
  // A button and a checkbox take the space bar for themselves.
  if (key === " " && target.matches("button, [type=checkbox], a")) return;
  const panel = panels.get(target.closest(".plane")?.dataset.plane);
  if (panel?.key(event)) return event.preventDefault();
  const visible = [...panels.values()].filter(({ element }) => !element.hidden);
  const actions = {
    n: () => step(1),
    p: () => step(-1),
    h: () => find("#map-on").click(),
    "/": () => {
      toggleList(true);
      find("#search").focus();
    },
    "?": () => find("#help-dialog").showModal(),
    1: () => visible[0]?.slider.focus(),
    2: () => visible[1]?.slider.focus(),
    3: () => visible[2]?.slider.focus(),
  };
  const action = actions[key.toLowerCase()];
  if (action === undefined) return;
  event.preventDefault();
  action();
});

function step(places) {
  const exam = list.neighbour(places);
  if (exam !== undefined) show(exam);
}

/** Where the list would stand above the exam and not beside it. */
function isNarrow() {
  return matchMedia("(max-width: 820px)").matches;
}

function toggleList(open) {
  find("#list-panel").hidden = !open;
  find(".layout").classList.toggle("no-list", !open);
  find("#toggle-list").setAttribute("aria-expanded", String(open));
  if (open) list.reveal();
}

function fill(selector, options) {
  find(selector).replaceChildren(...options.map(([value, text]) => new Option(text, value)));
}

function tell(words) {
  const message = find("#message");
  message.hidden = words === "";
  message.textContent = words;
}

function say(words) {
  find("#announce").textContent = words;
}

/** What the colours mean, over black as they are over a picture. */
function drawScale() {
  const canvas = find("#scale");
  canvas.width = settings.colors.length;
  const context = canvas.getContext("2d");
  const middle = (settings.colors.length - 1) / 2;
  settings.colors.forEach((color, step) => {
    const cover = settings.opacity * Math.abs(step - middle) / middle;
    context.fillStyle = `rgb(${color.map((value) => Math.round(cover * value)).join(" ")})`;
    context.fillRect(step, 0, 1, 1);
  });
}
