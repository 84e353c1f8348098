/**
 * The list of exams: search, filters, order, and what the chosen model says about each.
 *
 * @module
 */

const find = (selector) => document.querySelector(selector);

/** What an exam's answer is, held against its label: TP, FP, TN or FN. */
export function outcomeOf(decision, label) {
  if (decision === undefined || label === undefined) return undefined;
  return `${decision === (label === 1) ? "T" : "F"}${decision ? "P" : "N"}`;
}

/** The list in the page's left column. */
export class ExamList {
  #exams = [];
  /** What the models say, by exam and by model. */
  #verdicts = new Map();
  #shown = [];
  #chosen;
  #model;
  #frame;
  #onChoose;

  /** @param onChoose called with the exam that somebody chose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    for (const id of ["search", "label", "outcome", "order", "split", "task"]) {
      find(`#${id}`).addEventListener("input", () => this.#show());
    }
    const list = find("#exams");
    list.addEventListener("click", ({ target }) => {
      const item = target.closest("li");
      if (item !== null) this.#choose(this.#shown[Number(item.dataset.place)]);
    });
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Takes over the exams; dropped ones come first. */
  set(exams) {
    this.#exams = exams;
    this.#show();
  }

  /** Adds an exam that is in no dataset, at the top. */
  add(exam) {
    this.#exams.unshift(exam);
    this.#show();
  }

  /** Which model's verdicts are shown. */
  useModel(model) {
    this.#model = model;
    const judges = model !== undefined;
    find("#outcome").closest("label").hidden = !judges;
    for (const option of find("#order").options) {
      option.hidden = option.disabled = !judges && option.value !== "id";
    }
    this.#show();
  }

  /** What the models say about an exam; the list is drawn anew with the next frame. */
  tell({ split, id }, verdicts) {
    this.#verdicts.set(`${split}/${id}`, verdicts);
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#show();
    });
  }

  /** Marks the exam on show. */
  mark(exam) {
    this.#chosen = exam;
    this.#show();
    this.reveal();
  }

  /** Scrolls to the exam on show. */
  reveal() {
    const item = find('#exams [aria-selected="true"]');
    if (item === null) return;
    // The list alone is scrolled: `scrollIntoView` would move the page too.
    const list = find("#exams");
    const [above, below] = [
      item.offsetTop - list.offsetTop,
      item.offsetTop - list.offsetTop + item.offsetHeight - list.clientHeight,
    ];
    list.scrollTop = Math.min(Math.max(list.scrollTop, below), above);
  }

  /** The exam so many places after the one on show, in the list as it is shown. */
  neighbour(places) {
    const place = this.#shown.indexOf(this.#chosen);
    return place === -1 ? this.#shown[0] : this.#shown[place + places];
  }

  /** The first exam of the list as it is shown. */
  get first() {
    return this.#shown[0];
  }

  /** What the chosen model says about an exam. */
  verdict(exam) {
    return this.#verdicts.get(`${exam.split}/${exam.id}`)?.find(({ model }) =>
      model === this.#model?.name
    );
  }

  #choose(exam) {
    if (exam !== undefined) this.#onChoose(exam);
  }

  #key(event) {
    const place = Math.max(0, this.#shown.indexOf(this.#chosen));
    const to = {
      ArrowDown: place + 1,
      ArrowUp: place - 1,
      PageDown: place + 10,
      PageUp: place - 10,
      Home: 0,
      End: this.#shown.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#choose(this.#shown[Math.min(Math.max(to, 0), this.#shown.length - 1)]);
  }

  #show() {
    const value = (id) => find(`#${id}`).value;
    const [search, split, task] = [
      value("search").trim().toLowerCase(),
      value("split"),
      value("task"),
    ];
    const [label, outcome, order] = [value("label"), value("outcome"), value("order")];
    const judged = this.#exams
      .filter((exam) => exam.split === split || exam.split === "dropped")
      .map((exam) => {
        const own = exam.labels[task];
        const verdict = this.verdict(exam);
        const error = verdict === undefined || own === undefined
          ? -1
          : Math.abs(own - verdict.probability);
        return { exam, own, verdict, error, outcome: outcomeOf(verdict?.decision, own) };
      });
    const matches = (each) =>
      each.exam.id.toLowerCase().includes(search) &&
      (label === "" || (label === "none" ? each.own === undefined : each.own === Number(label))) &&
      (outcome === "" || outcome === each.outcome);
    const shown = judged.filter(matches);
    if (order === "error") shown.sort((a, b) => b.error - a.error);
    if (order === "probability") {
      shown.sort((a, b) => (b.verdict?.probability ?? -1) - (a.verdict?.probability ?? -1));
    }
    this.#shown = shown.map(({ exam }) => exam);
    const list = find("#exams");
    list.replaceChildren(...shown.map((each, place) => this.#item(each, place)));
    const chosen = list.querySelector('[aria-selected="true"]');
    if (chosen === null) list.removeAttribute("aria-activedescendant");
    else list.setAttribute("aria-activedescendant", chosen.id);
    const known = judged.filter(({ verdict }) => verdict !== undefined).length;
    const reading = this.#model !== undefined && known < judged.length
      ? `, ${known} of ${judged.length} read`
      : "";
    const of = `${judged.length} exam${judged.length === 1 ? "" : "s"}${reading}`;
    find("#count").textContent = shown.length === judged.length ? of : `${shown.length} of ${of}`;
    find("#previous").disabled = this.neighbour(-1) === undefined;
    find("#next").disabled = this.neighbour(1) === undefined;
  }

  #item({ exam, own, verdict, outcome }, place) {
    const item = document.createElement("li");
    item.id = `exam-${exam.split}-${exam.id}`;
    item.dataset.place = place;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(exam === this.#chosen));
    const part = (className, text, title) => {
      const span = document.createElement("span");
      span.className = className;
      span.textContent = text;
      if (title !== undefined) span.title = title;
      item.append(span);
    };
    part("name", exam.split === "dropped" ? `${exam.id.slice(0, 8)} (dropped)` : exam.id);
    part("probability", verdict === undefined ? "" : verdict.probability.toFixed(3));
    const words = {
      TP: "true positive",
      FP: "false positive",
      TN: "true negative",
      FN: "false negative",
    };
    if (outcome !== undefined) part(`tag ${outcome}`, outcome, words[outcome]);
    else part("tag none", own === undefined ? "" : own === 1 ? "present" : "absent");
    return item;
  }
}
