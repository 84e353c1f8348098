/** The order and the filters of the list of exams, as they stand in its fields. */

const find = (selector) => document.querySelector(selector);

/** What is chosen of the list, and how each is at first. */
export const CHOICES = { order: "id", label: "", outcome: "", search: "" };

/** Order and filters, by what they are called in an address; undefined as at first. */
export function choices() {
  return Object.fromEntries(
    Object.entries(CHOICES).map(([id, first]) => {
      const { value } = find(`#${id}`);
      return [id, value === first ? undefined : value];
    }),
  );
}

/** Takes over order and filters; what cannot be chosen here is as at first. */
export function choose(given) {
  for (const [id, first] of Object.entries(CHOICES)) {
    const control = find(`#${id}`);
    control.value = given[id] ?? first;
    const isThere = control.selectedOptions === undefined ||
      control.selectedOptions[0]?.disabled === false;
    if (!isThere || control.closest("label").hidden) control.value = first;
  }
}

/**
 * Offers what can be chosen.
 *
 * @param {{ answers: boolean, second: boolean }} there whether a model answers, and another one beside it
 */
export function offerChoices({ answers, second }) {
  find("#outcome").closest("label").hidden = !answers;
  const order = find("#order");
  for (const option of order.options) {
    const needed = { id: true, disagreement: second }[option.value] ?? answers;
    option.hidden = option.disabled = !needed;
  }
  // What cannot be seen must not choose.
  if (!answers) find("#outcome").value = "";
  if (order.selectedOptions[0]?.disabled ?? true) order.value = "id";
}
