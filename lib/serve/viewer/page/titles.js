/** What findings and models are called on the page. */

/** The findings, in the order of the page. */
export const TASKS = { abnormal: "Abnormal", acl: "ACL tear", meniscus: "Meniscal tear" };

/**
 * What a model is for; its name too if another model is for the same.
 *
 * @param {object} model
 * @param {object[]} models all of them
 */
export function titleOf({ name, kind, task, planes }, models) {
  const alike = models.filter((each) =>
    each.kind === kind && each.task === task && each.planes.join() === planes.join()
  );
  const read = planes.length > 1 ? "three planes" : planes[0];
  const title = `${TASKS[task]}, ${read}${kind === "ensemble" ? ", ensemble" : ""}`;
  return alike.length > 1 ? `${title} · ${name}` : title;
}

/** An exam's labels as items of a list. */
export function labelItems(labels) {
  return Object.entries(TASKS).filter(([task]) => task in labels).map(([task, title]) => {
    const item = document.createElement("li");
    item.className = labels[task] === 1 ? "present" : "";
    item.textContent = `${title}: ${labels[task] === 1 ? "yes" : "no"}`;
    return item;
  });
}
