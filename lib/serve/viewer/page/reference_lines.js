/** The lines along which the slices on show cut each other, on all planes of an exam. */
import { canCut, cutLine } from "./geometry.js";
import { say } from "./words.js";

/**
 * Keeps the lines of all panels as their slices have them.
 *
 * @param {Map<string, import("./plane_panel.js").PlanePanel>} panels by plane
 * @param {HTMLButtonElement} button switches the lines off and on; in sight if there can be some
 * @returns {() => void} does as the button, and says why if there can be none
 */
export function linkPlanes(panels, button) {
  let on = true;
  const draw = () => {
    const all = [...panels].map(([plane, panel]) => ({ plane, panel, here: panel.sliceOnShow }));
    const known = all.filter(({ here }) => here !== undefined);
    for (const { plane, panel, here } of known) {
      const lines = !on ? [] : known.flatMap((other) => {
        const ends = other.plane === plane ? undefined : cutLine(here, other.here);
        return ends === undefined ? [] : [{ plane: other.plane, slice: other.here.slice, ends }];
      });
      panel.drawLines(lines);
    }
    // What is on its way may have some: the button does not come and go with each exam.
    const isWhole = all.every(({ panel, here }) => panel.element.hidden || here !== undefined);
    const can = known.some((a) =>
      known.some((b) => a !== b && canCut(a.here.geometry, b.here.geometry))
    );
    if (can || isWhole) button.hidden = !can;
  };
  for (const { element } of panels.values()) element.addEventListener("sliced", draw);
  const toggle = () => {
    if (button.hidden) return say("It is not known how the planes of this exam lie to each other");
    on = !on;
    button.setAttribute("aria-pressed", String(on));
    say(`Reference lines ${on ? "on" : "off"}`);
    draw();
  };
  button.addEventListener("click", toggle);
  return toggle;
}
