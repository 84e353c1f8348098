/** The list of exams: search, filters, order, and what the chosen models say about each. */
import { makeRow, nameOf, rowId, showRow } from "./exam_row.js";
import { CHOICES, choose, offerChoices } from "./list_choices.js";
import { listTable, saveFile } from "./list_table.js";
import { isHidden } from "./reader.js";
import { decisionsDiffer, disagreementOf, logitOf, outcomeOf } from "./verdict.js";
import { isUnopened, WATCHED } from "./watch.js";
import { VirtualRows } from "./virtual_rows.js";

const find = (selector) => document.querySelector(selector);

/** How long nobody must have typed until what is found is shown, in milliseconds. */
const TYPED = 300;

/** How often the list is drawn anew while answers come, in milliseconds: each time all exams are looked through. */
const TOLD = 250;

/** How long a click may come after its pointer was let go, in milliseconds. */
const CLICK = 100;

/** What an exam is called in an address; a dropped one by its number on this page alone. */
export function addressNameOf({ split, id, number }) {
  return `${split}/${number ?? id}`;
}

/** The list in the page's left column. */
export class ExamList {
  #exams = [];
  /** What the models say by exam, or why they say nothing. */
  #answers = new Map();
  #shown = [];
  /** What the list shows of each of them. */
  #entries = [];
  #rowsInSight;
  /** The row of each exam, made once: a click that has begun finds it where it was. */
  #rows = new Map();
  #chosen;
  #model;
  /** Whose answers stand beside the model's, if any. */
  #second;
  /** Who is asked first, if somebody is. */
  #reader;
  #frame;
  #telling;
  /** Whether a pointer is down on the list, which then stays as it is. */
  #pressed = false;
  /** Whether exams are still to be read. */
  #reading = false;
  /** The exam that the models are asked about. */
  #asked;
  #settling;
  #onChoose;

  /**
   * @param {(exam: object) => void} onChoose called with the exam that somebody chose
   * @param {() => void} onChoices called when order or filters have changed
   */
  constructor(onChoose, onChoices) {
    this.#onChoose = onChoose;
    for (const id of ["search", "label", "outcome", "order", "split", "task"]) {
      find(`#${id}`).addEventListener("input", () => {
        this.#show();
        this.#say(find("#count").textContent);
        this.#settle(id === "search" ? TYPED : 0);
        // What leads to another exam is part of its address, and not of that of the one before.
        if (id in CHOICES && this.#shown.includes(this.#chosen)) onChoices();
      });
    }
    const list = find("#exams");
    this.#rowsInSight = new VirtualRows(list, (index) => this.#row(this.#entries[index]));
    list.addEventListener("click", ({ target }) => {
      const item = target.closest("li");
      this.#choose(this.#shown.find((exam) => this.#rows.get(exam)?.element === item));
    });
    list.addEventListener("pointerdown", ({ button }) => this.#pressed ||= button === 0);
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => {
        if (!this.#pressed) return;
        setTimeout(() => {
          this.#pressed = false;
          this.#showLater();
        }, CLICK);
      });
    }
    list.addEventListener("keydown", (event) => this.#key(event));
    find("#save-list").addEventListener("click", () => this.#save());
  }

  /**
   * Takes over the exams; dropped ones come first.
   *
   * @param {object[]} exams
   * @param {object} [reader] who is asked about an exam before the models' answers are shown
   */
  set(exams, reader) {
    this.#exams = exams;
    this.#reader = reader;
    this.#show();
  }

  /** Adds an exam that is in no dataset, at the top. */
  add(exam) {
    this.#exams.unshift(exam);
    this.#show();
  }

  /** Takes over studies of a PACS: those that are new, and what is new of others. */
  take(studies) {
    for (const { verdicts, fault, none, ...study } of studies) {
      const before = this.named(addressNameOf(study));
      // What was fetched is known better.
      if (before !== undefined) {
        Object.assign(before, study, before.isOpened && { planes: before.planes });
      } else this.#exams.push(study);
      if (verdicts !== undefined || fault !== undefined) {
        this.tell(study, { verdicts, fault, none });
      }
    }
    this.#showLater();
  }

  /** Replaces an exam by others, or removes it. */
  replace(exam, ...others) {
    this.#rows.delete(exam);
    this.#exams = this.#exams.flatMap((each) => each === exam ? others : [each]);
    this.#show();
  }

  /** Shows again what is known of the exams. */
  refresh() {
    this.#show();
  }

  /** Which exam the models are asked about, if any: its row says so. */
  awaitAnswer(exam) {
    this.#asked = exam;
    this.#showLater();
  }

  /** The exam of a name such as `valid/0131`. */
  named(name) {
    return this.#exams.find((exam) => addressNameOf(exam) === name);
  }

  /** Takes over order and filters of an address. */
  choose(given) {
    choose(given);
    this.#show();
  }

  /** Which model's verdicts are shown, and which other one's beside them; none if undefined. */
  useModels(model, second) {
    this.#model = model;
    this.#second = second;
    offerChoices({ answers: model !== undefined, second: second !== undefined });
    this.#show();
  }

  /** What the models say about an exam, or what is wrong with it; seen soon. */
  tell({ split, id }, { verdicts, fault, none = "cannot be read" }) {
    this.#answers.set(`${split}/${id}`, { verdicts, fault, none });
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#showLater();
    }, TOLD);
  }

  /** Marks the exam on show. */
  mark(exam) {
    this.#chosen = exam;
    this.#show();
    this.reveal();
  }

  /** Scrolls to the exam on show. */
  reveal() {
    this.#rowsInSight.reveal();
  }

  /** The exam so many rows below the one on show, in the list as it is shown. */
  neighbour(rows) {
    const position = this.#shown.indexOf(this.#chosen);
    return position === -1 ? this.#shown[0] : this.#shown[position + rows];
  }

  /** The first exam of the list as it is shown. */
  get first() {
    return this.#shown[0];
  }

  /** What a model says about an exam, or why it will say nothing. */
  #answer(exam, model, label) {
    const { split, id, planes } = exam;
    if (isHidden(exam, this.#reader)) {
      return { none: "not answered", why: "your answer comes first" };
    }
    if (model === undefined) return {};
    const { verdicts, fault, none } = this.#answers.get(`${split}/${id}`) ?? {};
    if (fault !== undefined) return { none, why: fault };
    const missing = model.planes.filter((plane) => !planes.includes(plane));
    if (missing.length > 0) return { none: "plane missing", why: `no ${missing.join(", ")} plane` };
    const verdict = verdicts?.find((each) => each.model === model.name);
    return { verdict, outcome: outcomeOf(verdict?.decision, label) };
  }

  /** Shows the first exam of the list if the one on show is no longer in it. */
  #settle(milliseconds) {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (this.#shown.includes(this.#chosen)) return;
      const [first] = this.#shown;
      // Nobody has asked for a study of a PACS to be fetched.
      if (first !== undefined && !isUnopened(first)) this.#choose(first);
    }, milliseconds);
  }

  #choose(exam) {
    if (exam !== undefined) this.#onChoose(exam);
  }

  #key(event) {
    const position = Math.max(0, this.#shown.indexOf(this.#chosen));
    const to = {
      ArrowDown: position + 1,
      ArrowUp: position - 1,
      PageDown: position + 10,
      PageUp: position - 10,
      Home: 0,
      End: this.#shown.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#choose(this.#shown[Math.min(Math.max(to, 0), this.#shown.length - 1)]);
  }

  /** Saves what the list shows. */
  #save() {
    const models = { model: this.#model, secondModel: this.#second };
    const named = this.#entries.map((entry) => {
      const { split, id } = entry.exam;
      return { ...entry, name: split === WATCHED ? id : nameOf(entry.exam), ...models };
    });
    const names = [find("#split").value, this.#model?.name, this.#second?.name].filter(Boolean);
    const file = `${["exams", ...names].join("_")}.csv`;
    saveFile(file, listTable(named));
    this.#say(`${named.length} exam${named.length === 1 ? "" : "s"} saved as ${file}`);
  }

  /** Shows it all with the next frame, however much is told until then. */
  #showLater() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      if (!this.#pressed) this.#show();
    });
  }

  #show() {
    const value = (id) => find(`#${id}`).value;
    const [search, split, task] = [
      value("search").trim().toLowerCase(),
      value("split"),
      value("task"),
    ];
    const [label, outcome, order] = [value("label"), value("outcome"), value("order")];
    const listed = this.#exams
      .filter((exam) => exam.split === split || exam.split === "dropped")
      .map((exam) => {
        const own = exam.labels[task];
        const { verdict, none, why, outcome } = this.#answer(exam, this.#model, own);
        const second = this.#answer(exam, this.#second, own);
        // In the logit's order, which still tells apart what is all but 0 or 1.
        const logit = verdict === undefined ? -Infinity : logitOf(verdict);
        const error = verdict === undefined || own === undefined
          ? -Infinity
          : own === 1
          ? -logit
          : logit;
        const disagreement = disagreementOf(verdict, second.verdict);
        return { exam, own, verdict, none, why, logit, error, outcome, second, disagreement };
      });
    const matches = (each) =>
      searched(each.exam).includes(search) &&
      (label === "" || (label === "none" ? each.own === undefined : each.own === Number(label))) &&
      (outcome === "" || outcome === each.outcome);
    const shown = listed.filter(matches);
    if (order === "id" && split === WATCHED) shown.sort(byTime);
    if (order === "error") shown.sort((a, b) => falling(a.error, b.error));
    if (order === "disagreement") shown.sort((a, b) => falling(a.disagreement, b.disagreement));
    if (order === "probability") shown.sort((a, b) => falling(a.logit, b.logit));
    this.#entries = shown;
    this.#shown = shown.map(({ exam }) => exam);
    const list = find("#exams");
    this.#rowsInSight.show(shown.length, this.#shown.indexOf(this.#chosen));
    const chosen = this.#shown.includes(this.#chosen) ? rowId(this.#chosen) : "";
    if (list.getAttribute("aria-activedescendant") !== chosen) {
      list.setAttribute("aria-activedescendant", chosen);
    }
    this.#count(listed, shown.length);
    find("#previous").disabled = this.neighbour(-1) === undefined;
    find("#next").disabled = this.neighbour(1) === undefined;
    find("#save-list").disabled = shown.length === 0;
    const byName = split === WATCHED ? "Newest first" : "By name";
    const option = find("#order option[value=id]");
    if (option.textContent !== byName) option.textContent = byName;
  }

  /** How many there are, and how far they have been read: said aloud when that has ended. */
  #count(listed, shown) {
    const unread = listed.filter(({ verdict, none }) =>
      verdict === undefined && none === undefined
    );
    const hidden = listed.filter(({ exam }) => isHidden(exam, this.#reader)).length;
    const silent = listed.filter(({ none }) => none !== undefined).length - hidden;
    const open = listed.length - hidden;
    const lacking = (count, what) => count > 0 ? `, ${count} without ${what}` : "";
    const reading = this.#model !== undefined && unread.length > 0;
    const read = reading
      ? `, ${open - unread.length} of ${open} read`
      : lacking(silent, this.#reader === undefined ? "an answer" : "the model's");
    const differing = listed.filter((each) => decisionsDiffer(each.verdict, each.second.verdict));
    const differ = this.#second === undefined ? "" : `, decisions differ on ${differing.length}`;
    const exams = `${listed.length} exam${listed.length === 1 ? "" : "s"}`;
    const all = exams + lacking(hidden, "your answer") + read + differ;
    const words = shown === listed.length ? all : `${shown} of ${all}`;
    if (find("#count").textContent !== words) find("#count").textContent = words;
    if (this.#reading && !reading && this.#model !== undefined) {
      this.#say(`All exams are read: ${words}`);
    }
    this.#reading = reading;
  }

  #say(words) {
    find("#list-said").textContent = words;
  }

  /** The exam's row, made once. */
  #row(entry) {
    const { exam } = entry;
    const row = this.#rows.get(exam) ?? makeRow(exam);
    this.#rows.set(exam, row);
    showRow(row, entry, {
      isChosen: exam === this.#chosen,
      isRead: exam === this.#asked || exam.isOnItsWay || exam.isReading,
      second: this.#second,
    });
    return row.element;
  }
}

/** What an exam is searched by. */
function searched(exam) {
  const name = nameOf(exam).toLowerCase();
  return exam.split === WATCHED ? `${name} ${exam.id}` : name;
}

/** The newest study first, behind exams that were dropped. */
function byTime({ exam: { at: a = "~" } }, { exam: { at: b = "~" } }) {
  return a === b ? 0 : a < b ? 1 : -1;
}

/** The larger one first, also if both are infinite. */
function falling(a, b) {
  return a === b ? 0 : b - a;
}
