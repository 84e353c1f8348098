/** The viewer's page: which exam is on show, by which model, and what keys and files do. */
import { readAddress, writeAddress } from "./address.js";
import { mapOf, showProbabilities } from "./answer.js";
import { ask, lines } from "./api.js";
import { setup as asked } from "./setup.js";
import { colorMarks, drawScale } from "./colors.js";
import { addressNameOf, ExamList } from "./exam_list.js";
import { nameOf } from "./exam_row.js";
import { choices } from "./list_choices.js";
import { takeIn } from "./dropped.js";
import { takeFiles } from "./files.js";
import { PlanePanel } from "./plane_panel.js";
import { answerWords, isHidden, showComparison, showQuestions, takeAnswers } from "./reader.js";
import { linkPlanes } from "./reference_lines.js";
import { oddSaid, showRemarks } from "./remarks.js";
import { faultOf, namesOf } from "./study_files.js";
import { labelItems, TASKS, titleOf } from "./titles.js";
import { tellOfUse } from "./use.js";
import { volumeOf, wholeOf } from "./volume.js";
import { followWatch, isUnopened, openStudy, WATCHED } from "./watch.js";
import { frame, passed, say, tell } from "./words.js";

const PLANES = ["sagittal", "coronal", "axial"];
/** How long an exam's reading waits for the next exam to be fetched, in milliseconds. */
const MAX_PREPARING_MS = 1000;
/** How long nobody must have leafed until the address names the slice: browsers refuse many changes. */
const LEAFED_MS = 250;

const find = (selector) => document.querySelector(selector);

/** Shared by the panels. */
const settings = { mapOn: true, opacity: 0.75, colors: [] };
const panels = new Map(PLANES.map((plane) => [plane, new PlanePanel(plane, settings)]));
find("#planes").append(...[...panels.values()].map(({ element }) => element));
const toggleLines = linkPlanes(panels, find("#lines"));
const list = new ExamList((exam) => show(exam), () => record({ step: false }));

let setup = { exams: [], models: [], faults: [] };
let current;
/** What the models say about the exam on show, or why they say nothing. */
let reading;
let fault;
/** The reading that is on its way. */
let asking = new AbortController();
/** The verdicts that are on their way. */
let following = new AbortController();
let isFollowing = false;
/** The panel that was used or pointed at last. */
let used;
/** The model that was asked last. */
let modelBefore;
/** The plane that was used last, or that the address names. */
let usedPlane;
/** The plane that is shown large, if one is. */
let large;
/** The address that is to be written once nobody leafs on. */
let leafing;
/** How many exams were dropped on this page. */
let dropped = 0;

async function start() {
  try {
    setup = await asked;
  } catch (error) {
    return tell(error.message);
  }
  settings.colors = setup.colors;
  tellFaults();
  colorMarks(setup.colors);
  drawScale(find("#scale"), settings);
  const splits = [...new Set(setup.exams.map(({ split }) => split))];
  if (setup.watch !== undefined) splits.push(WATCHED);
  fill("#split", splits.map((split) => [split, split === WATCHED ? "PACS" : split]));
  find("#split").closest("label").hidden = splits.length < 2;
  fill("#model", setup.models.map((model) => [model.name, titleOf(model, setup.models)]));
  document.body.classList.toggle("has-models", setup.models.length > 0);
  const combined = setup.models.find(({ planes }) => planes.length > 1);
  if (combined !== undefined) find("#model").value = combined.name;
  const tasks = Object.keys(TASKS).filter((task) =>
    setup.exams.some(({ labels }) => task in labels) ||
    setup.models.some((model) => model.task === task)
  );
  fill("#task", tasks.map((task) => [task, TASKS[task]]));
  find("#task").closest("label").hidden = tasks.length < 2;
  if (model() !== undefined) find("#task").value = model().task;
  if (model() === undefined && tasks.includes("acl")) find("#task").value = "acl";
  offerSecond();
  useModelsInList();
  list.set([...setup.exams], setup.reader);
  list.take(setup.watch?.studies ?? []);
  if (setup.reader !== undefined) askTheReader();
  toggleList((setup.exams.length > 0 || setup.watch !== undefined) && !isNarrow());
  if (readAddress().exam !== undefined) await followAddress();
  else if (list.first === undefined || isUnopened(list.first)) {
    showNothing();
    // Above an exam there is no room for it; above none it is what there is to see.
    if (setup.watch !== undefined) toggleList(true);
  } else await show(list.first);
  followVerdicts();
  if (setup.watch !== undefined) followWatch(setup.watch, (studies) => list.take(studies));
}

/** Shows what the page's address names, and says what of it is not there. */
async function followAddress() {
  const named = readAddress();
  // The address was changed by others: what was to be written of the exam before it is not.
  clearTimeout(leafing);
  leafing = undefined;
  if (named.exam === undefined) return;
  const remarks = [];
  const other = setup.models.find(({ name }) => name === named.model);
  const beside = setup.models.find(({ name }) => name === named.second);
  const asked = other ?? model();
  const namesModels = other !== undefined || named.second !== undefined;
  if (namesModels && asked !== undefined && (asked !== model() || beside !== second())) {
    useModel(asked, beside);
  }
  if (named.model !== undefined && other === undefined) {
    const instead = model() === undefined ? "" : `: '${model().name}' is asked`;
    remarks.push(`There is no model '${named.model}' here${instead}.`);
  }
  if (named.second !== undefined && named.second !== second()?.name) {
    const first = model() === undefined ? "" : ` to stand beside '${model().name}'`;
    remarks.push(`There is no second model '${named.second}' here${first}.`);
  }
  const exam = list.named(named.exam);
  if (exam === undefined) return showUnknown(named.exam);
  const split = find("#split");
  if (exam.split !== "dropped" && split.value !== exam.split) {
    split.value = exam.split;
    followVerdicts();
  }
  list.choose(named);
  const hasPlane = panels.has(named.plane) && exam.planes.includes(named.plane);
  if (hasPlane) usedPlane = named.plane;
  else if (named.plane !== undefined) remarks.push(`This exam has no plane '${named.plane}'.`);
  const isNumber = /^[1-9]\d{0,5}$/.test(named.slice);
  const slice = hasPlane && isNumber ? Number(named.slice) : undefined;
  if (named.slice !== undefined && !isNumber) remarks.push(`'${named.slice}' is no slice.`);
  else if (named.slice !== undefined && named.plane === undefined) {
    remarks.push(`The address names slice ${named.slice} and no plane.`);
  }
  const tellRemarks = (...more) => {
    if (current !== exam || remarks.push(...more) === 0) return;
    tell([...setup.faults, ...remarks].join(" "));
  };
  let seen;
  if (exam !== current) {
    // The number of slices is known once some are there.
    const onSeen = () => {
      tellRemarks(...beyond(usedPlane, slice));
      record({ step: false });
    };
    seen = show(exam, { step: false, slice, onSeen });
  } else if (hasPlane) {
    const panel = panels.get(named.plane);
    remarks.push(...beyond(named.plane, slice));
    if (slice === undefined || slice > panel.slices) panel.goToMiddle();
    else panel.go(slice - 1);
  }
  record({ step: false });
  tellRemarks();
  await seen;
  if (current === exam && usedPlane !== undefined && usedPlane === named.plane) {
    panels.get(usedPlane).take();
  }
}

/** What is said of a slice that a plane does not have. */
function beyond(plane, slice) {
  const { slices } = panels.get(plane) ?? {};
  if (slice === undefined || !(slices > 0) || slice <= slices) return [];
  return [`The ${plane} plane has ${slices} slices and no slice ${slice}.`];
}

/** Has the address say what is on show. */
function record(how) {
  clearTimeout(leafing);
  leafing = undefined;
  if (current === undefined || current.isOnItsWay) return;
  const plane = current.planes.includes(usedPlane) ? usedPlane : undefined;
  const slice = panels.get(plane)?.addressSlice;
  const models = { model: model()?.name, second: second()?.name };
  writeAddress({ exam: addressNameOf(current), ...models, plane, slice, ...choices() }, how);
}

/** Has the address name the slice that somebody went to, once the leafing has come to rest. */
function recordLater(panel) {
  clearTimeout(leafing);
  leafing = setTimeout(() => {
    // What plays has not come to rest.
    if (panel.isPlaying) recordLater(panel);
    else record({ step: false });
  }, LEAFED_MS);
}

/** Says that there is no such exam; another one instead could be mistaken for it. */
function showUnknown(name) {
  asking.abort();
  current = undefined;
  showNothing();
  find("#empty").hidden = true;
  find(".stepper").hidden = false;
  list.mark(undefined);
  find("#exam-title").textContent = `No exam '${name}'`;
  document.title = "MRNet viewer";
  delete document.body.dataset.shown;
  const why = name.startsWith("dropped/")
    ? "files that were dropped are known to their page until it is left"
    : "choose one from the list";
  tell([...setup.faults, `There is no exam '${name}' here: ${why}.`].join(" "));
}

/** Asks a model, with another one's answers beside its own if that is for the same finding. */
function useModel(chosen, beside) {
  find("#model").value = chosen.name;
  find("#task").value = chosen.task;
  offerSecond(beside);
  useModelsInList();
  showAnswer();
}

/** Offers the other models of the finding to stand beside the model. */
function offerSecond(chosen) {
  modelBefore = model();
  const others = setup.models.filter((each) => each !== model() && each.task === model()?.task);
  const named = others.map((each) => [each.name, titleOf(each, setup.models)]);
  fill("#second", [["", "None"], ...named]);
  find("#second").value = others.includes(chosen) ? chosen.name : "";
  find("#second").closest("label").hidden = others.length === 0;
}

/** Has the list tell what the models say, if they are for the finding that it shows. */
function useModelsInList() {
  const isTheirs = model()?.task === find("#task").value;
  list.useModels(...isTheirs ? [model(), second()] : []);
}

/** The model whose answers stand beside the model's, if one was chosen. */
function second() {
  return setup.models.find(({ name }) => name === find("#second").value);
}

/** The model that was chosen; none if the page only shows exams. */
function model() {
  return setup.models.find(({ name }) => name === find("#model").value);
}

/**
 * Shows an exam.
 *
 * @param {object} exam
 * @param {object} [how]
 * @param {boolean} [how.step] whether back returns to what is on show now
 * @param {number} [how.slice] of the plane in use, from 1; the middle one by default
 * @param {() => void} [how.onSeen] called when every plane can be seen
 */
async function show(exam, { step = true, slice, onSeen } = {}) {
  const begun = performance.now();
  // Back is to return to the slice that was looked at last.
  if (step && leafing !== undefined) record({ step: false });
  // Whoever leafs on does not want the answer to the exam before.
  asking.abort();
  asking = new AbortController();
  current = exam;
  reading = undefined;
  fault = undefined;
  find("#empty").hidden = true;
  find(".stepper").hidden = false;
  tellFaults();
  find("#exam-title").textContent = exam.split === "dropped" || exam.split === WATCHED
    ? nameOf(exam)
    : `Exam ${exam.id}`;
  document.title = `${nameOf(exam)} · MRNet viewer`;
  find("#labels").replaceChildren(...labelItems(exam.labels));
  list.mark(exam);
  showRemarks(panels, exam);
  const hidden = isHidden(exam, setup.reader);
  showQuestions(exam, setup.reader);
  find("#answer").hidden = setup.models.length === 0 || hidden;
  if (exam.isOnItsWay) return expect(exam);
  if (isUnopened(exam)) return await open(exam, { step, slice, onSeen });
  list.awaitAnswer(setup.models.length > 0 && !hidden ? exam : undefined);
  showAnswer();
  if (!exam.planes.includes(large)) enlarge(undefined);
  const seen = [];
  for (const [plane, panel] of panels) {
    const first = plane === usedPlane ? slice : undefined;
    if (exam.planes.includes(plane)) seen.push(panel.show(volumeOf(exam, plane), first));
    else panel.hide();
  }
  record({ step });
  const faults = (await Promise.all(seen)).filter((each) => each !== undefined);
  if (current !== exam) return;
  // Read by the tests: how long it took until every plane could be seen.
  document.body.dataset.shown = exam.id;
  document.body.dataset.milliseconds = (performance.now() - begun).toFixed(1);
  onSeen?.();
  say([`${find("#exam-title").textContent}, ${exam.planes.join(", ")}`, ...faults].join(". "));
  // The next exam first: while the models read this one, the service has little time for others.
  await Promise.race([prepareNext(exam), passed(MAX_PREPARING_MS)]);
  if (current === exam) await read(exam);
}

/** Has a study of the PACS fetched, and shows it. */
async function open(exam, how) {
  expect(exam);
  record(how);
  try {
    await openStudy(exam, asking.signal);
    if (current === exam) await show(exam, { ...how, step: false });
    if (current === exam && exam.skipped.length > 0) {
      tell([...setup.faults, ...exam.skipped].join(" "));
    }
  } catch (error) {
    if (current !== exam) return;
    for (const panel of panels.values()) panel.hide();
    tell(error.message);
  }
}

/** Shows that an exam's files are on their way to the service. */
function expect(exam) {
  find("#answer").hidden = true;
  for (const [plane, panel] of panels) {
    if (exam.planes.includes(plane)) panel.expect("Reading…");
    else panel.hide();
  }
  say(`Reading ${nameOf(exam)}`);
}

async function read(exam) {
  if (setup.models.length === 0 || isHidden(exam, setup.reader)) return;
  const { signal } = asking;
  try {
    const path = `viewer/reading/${exam.split}/${exam.id}`;
    const answer = await (await ask(path, { signal })).json();
    list.tell(exam, { verdicts: answer.predictions });
    if (current !== exam) return;
    reading = answer;
    list.awaitAnswer(undefined);
    await showMaps();
    if (reading !== answer) return;
  } catch (error) {
    if (signal.aborted) return;
    // A service that is busy or gone says nothing about the exam.
    if ([404, 422].includes(error.status)) list.tell(exam, { fault: error.message });
    fault = error.message;
    list.awaitAnswer(undefined);
  }
  showAnswer();
}

/** Shows the maps of an answer that has just come, a plane a frame: whoever scrolls meanwhile sees no stop. */
async function showMaps() {
  const shown = reading;
  for (const [plane, panel] of panels) {
    if (reading !== shown || model() === undefined) return;
    explain(plane, panel);
    await frame();
  }
}

/** The exam that comes next is fetched while somebody looks at this one. */
async function prepareNext(exam) {
  await wholeOf(exam);
  const next = current === exam ? list.neighbour(1) : undefined;
  if (next !== undefined && !isUnopened(next)) await wholeOf(next);
}

/** The probabilities by the chosen model, and each plane's map. */
function showAnswer() {
  if (current === undefined || isHidden(current, setup.reader)) return;
  showRemarks(panels, current, reading);
  const chosen = model();
  if (chosen === undefined) return;
  const asked = { model: chosen, second: second(), models: setup.models, exam: current };
  const answer = showProbabilities(find("#probabilities"), { ...asked, reading, fault });
  say([answer, ...oddSaid(reading)].filter(Boolean).join(". "));
  for (const [plane, panel] of panels) explain(plane, panel);
}

/** Has a plane show the map that the model chosen has of it, if there is one yet. */
function explain(plane, panel) {
  panel.explain(...mapOf(plane, { model: model(), models: setup.models, reading }));
}

/** Has the exams of the split read one after another, as long as somebody looks at it. */
async function followVerdicts() {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const split = find("#split").value;
  isFollowing = setup.models.length > 0 && split !== "" && split !== WATCHED;
  if (!isFollowing) return;
  try {
    const response = await ask(`viewer/verdicts?split=${split}`, { signal });
    for await (const { id, verdicts, fault } of lines(response)) {
      // Of what is not answered yet nothing is told; it may be by now.
      if (verdicts !== undefined || fault !== undefined) {
        list.tell({ split, id }, { verdicts, fault });
      }
    }
  } catch (error) {
    if (!signal.aborted) tell(error.message);
  } finally {
    isFollowing &&= signal.aborted;
  }
}

/** Has a person answer first: no files of others, and a way to compare. */
function askTheReader() {
  for (const id of ["open", "open-folder"]) find(`#${id}`).hidden = true;
  find("#compare").hidden = setup.models.length === 0;
  find("#compare").addEventListener("click", () => {
    const models = setup.models.map((each) => ({
      name: each.name,
      title: titleOf(each, setup.models),
    }));
    showComparison(models, model().name, find("#split").value, tell)
      .catch((error) => tell(error.message));
  });
  takeAnswers(() => current, (exam) => {
    list.refresh();
    if (current !== exam) return;
    find("#labels").replaceChildren(...labelItems(exam.labels));
    showQuestions(exam, setup.reader);
    find("#answer").hidden = setup.models.length === 0;
    list.awaitAnswer(setup.models.length > 0 ? exam : undefined);
    showAnswer();
    say(`Taken: ${answerWords(exam.answers)}`);
    // The form is gone: the next exam is a key away.
    find("#next").focus();
    // Whoever goes on at once does not wait for the models, but the list does.
    read(exam).then(followVerdicts);
  });
}

function showNothing() {
  find("#reader").hidden = find("#own-answer").hidden = true;
  find("#empty").hidden = false;
  find("#answer").hidden = true;
  find(".stepper").hidden = true;
  find("#exam-title").textContent = "No exam yet";
  for (const panel of panels.values()) panel.hide();
}

/** Has the service take in an exam of files, or a study, and shows it. */
async function openFiles(given, planes) {
  const wrong = faultOf(given, setup.limits);
  if (wrong !== undefined) return tell(wrong);
  const number = ++dropped;
  const own = { number, files: namesOf(given) };
  const before = current;
  const awaited = {
    ...{ split: "dropped", id: `${number}`, planes: planes ?? PLANES, labels: {} },
    ...own,
    isOnItsWay: true,
  };
  list.add(awaited);
  if (!isNarrow()) toggleList(true);
  show(awaited);
  try {
    const exam = { ...await takeIn(given, planes), ...own };
    list.replace(awaited, exam);
    // Unless somebody looks at another one in the meantime.
    if (current === awaited) {
      const seen = show(exam);
      if (exam.skipped?.length > 0) tell([...setup.faults, ...exam.skipped].join(" "));
      await seen;
    }
  } catch (error) {
    list.replace(awaited);
    if (current === awaited) {
      if (before === undefined) showNothing();
      else show(before, { step: false });
    }
    tell(error.message);
  }
}

/* Controls and keys. */

takeFiles(openFiles, tell);
tellOfUse(() => isFollowing);

find("#previous").addEventListener("click", () => step(-1));
find("#next").addEventListener("click", () => step(1));
find("#model").addEventListener("input", () => {
  const beside = second();
  // Whoever asks the second one has the two change places.
  useModel(model(), beside === model() ? modelBefore : beside);
  record({ step: true });
});
find("#second").addEventListener("input", () => {
  useModelsInList();
  showAnswer();
  record({ step: true });
});
find("#split").addEventListener("input", () => followVerdicts());
find("#task").addEventListener("input", ({ target }) => {
  const other = setup.models.find(({ task }) => task === target.value);
  if (other !== undefined && model()?.task !== target.value) {
    useModel(other);
    record({ step: true });
  } else useModelsInList();
});
find("#map-on").addEventListener("input", ({ target }) => {
  settings.mapOn = target.checked;
  for (const panel of panels.values()) panel.refresh();
});
find("#opacity").addEventListener("input", ({ target }) => {
  settings.opacity = Number(target.value) / 100;
  drawScale(find("#scale"), settings);
  for (const panel of panels.values()) panel.refresh();
});
find("#toggle-list").addEventListener(
  "click",
  ({ target }) => toggleList(target.getAttribute("aria-expanded") !== "true"),
);
find("#help").addEventListener("click", () => find("#help-dialog").showModal());
find("#full-screen").hidden = !document.fullscreenEnabled;
find("#full-screen").addEventListener("click", toggleFullScreen);
addEventListener("fullscreenchange", () => {
  find("#full-screen").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
});
find("#print").addEventListener("click", () => print());
addEventListener("beforeprint", () => {
  const chosen = model();
  const titles = [["Model", chosen], ["second model", second()]].filter(([, each]) => each)
    .map(([role, each]) => `${role}: ${titleOf(each, setup.models)} (${each.name})`);
  find("#printed-model").textContent = titles.join("; ");
  find("#printed-at").textContent = `Printed ${new Date().toLocaleString()} from ${location.href}`;
});
addEventListener("said", ({ detail }) => say(detail));
addEventListener("hashchange", () => followAddress());
// The address is the exam's: the link to it moves the focus alone.
find(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("#exam").focus();
});
for (const [name, panel] of panels) {
  panel.element.addEventListener("enlarge", () => {
    enlarge(large === name ? undefined : name);
    panel.element.scrollIntoView({ block: "nearest" });
    say(large === undefined ? "All planes" : `${name} plane alone, large`);
  });
  panel.element.addEventListener("leafed", () => {
    usedPlane = name;
    recordLater(panel);
  });
  for (const use of ["focusin", "pointerenter", "pointerdown"]) {
    panel.element.addEventListener(use, () => used = panel);
  }
  for (const use of ["focusin", "pointerdown"]) {
    panel.element.addEventListener(use, () => {
      usedPlane = name;
      record({ step: false });
    });
  }
}
addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog")) return;
  if (target.matches("input:not([type=range], [type=checkbox]), select")) return;
  // A button and a checkbox take the space bar for themselves.
  if (key === " " && target.matches("button, [type=checkbox], a")) return;
  const visible = [...panels.values()].filter(({ element }) => !element.hidden);
  const panel = panels.get(target.closest(".plane")?.dataset.plane) ??
    panels.get(large) ?? visible.find((each) => each === used) ?? visible[0];
  if (panel?.key(event)) return event.preventDefault();
  const actions = {
    n: () => step(1),
    p: () => step(-1),
    h: () => find("#map-on").click(),
    g: toggleLines,
    "/": () => {
      toggleList(true);
      find("#search").focus();
    },
    "?": () => find("#help-dialog").showModal(),
    f: toggleFullScreen,
    ...large === undefined ? {} : { escape: () => enlarge(undefined) },
    ...Object.fromEntries(visible.map((each, index) => [index + 1, () => {
      if (large !== undefined) enlarge(each.element.dataset.plane);
      each.slider.focus();
    }])),
  };
  const action = actions[key.toLowerCase()];
  if (action === undefined) return;
  event.preventDefault();
  action();
});

/** Shows one plane large and no other, or all of them. */
function enlarge(plane) {
  large = plane;
  find("#planes").classList.toggle("one", plane !== undefined);
  for (const [name, panel] of panels) panel.isLarge = name === plane;
}

/** The whole page, as what it is not for stays in sight. */
function toggleFullScreen() {
  if (document.fullscreenElement !== null) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch((error) => tell(error.message));
}

function step(rows) {
  const exam = list.neighbour(rows);
  if (exam !== undefined) show(exam);
}

/** Where the list would stand above the exam and not beside it. */
function isNarrow() {
  return matchMedia("(max-width: 930px)").matches;
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

/** What is wrong with the dataset or the models as a whole. */
function tellFaults() {
  tell(setup.faults.join(" "));
}

await start();
