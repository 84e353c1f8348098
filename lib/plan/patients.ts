/** What the models of three planes said about the same patients, joined. */
import { byPlane, combinedProbability } from "../combine/combination.ts";
import type { ByPlane, Combination } from "../combine/combination.ts";
import type { PlanePredictions } from "../combine/predictions.ts";
import { PLANES } from "../terms.ts";
import type { DoneModel, EvaluatedSplit, SavedPrediction } from "./done_model.ts";

/**
 * The patients' predictions by plane as rows that `combine --predictions` reads; with the logits in
 * columns behind where they are known.
 */
export function predictionsTable(
  patients: readonly (PlanePredictions & { id: string })[],
  combination: Combination,
): string {
  const known = patients.every(({ logits }) => logits !== undefined);
  const rows = patients.map(({ id, label, probabilities, logits }) =>
    [
      id,
      label,
      ...PLANES.map((plane) => probabilities[plane]),
      combinedProbability(combination, probabilities),
      ...(known ? PLANES.map((plane) => logits![plane]) : []),
    ].join()
  );
  const more = known ? PLANES.map((plane) => `${plane}_logit`) : [];
  return [["exam", "label", ...PLANES, "combined", ...more].join(), ...rows, ""].join("\n");
}

/**
 * Joins what the models of three planes said about the same exams.
 *
 * @param failure makes the error from what was found
 * @returns the patients whose three exams could be read
 * @throws what `failure` makes, if an exam is in one plane and, though it was not left out, not in another, or
 * has another label there
 */
export function patientsOf(
  models: ByPlane<DoneModel>,
  split: EvaluatedSplit,
  failure: (found: string) => Error,
): (PlanePredictions & { id: string })[] {
  const said = byPlane((plane) => new Map(_said(models[plane], split).map((row) => [row[0], row])));
  const leftOut = byPlane((plane) => {
    const ours = models[plane].leftOut.filter((each) => each.split === split);
    return new Set(ours.map(({ id }) => id));
  });
  for (const [id, label] of PLANES.flatMap((plane) => _said(models[plane], split))) {
    const odd = PLANES.find((plane) =>
      !leftOut[plane].has(id) && said[plane].get(id)?.[1] !== label
    );
    if (odd === undefined) continue;
    throw failure(
      `it has no ${odd} prediction of the ${split} exam '${id}', or one with another label than in ` +
        "the other planes",
    );
  }
  return _said(models.axial, split).filter(([id]) => PLANES.every((plane) => said[plane].has(id)))
    .map(([id, label]) => {
      const logits = PLANES.map((plane) => said[plane].get(id)![3]);
      return {
        ...{ id, label },
        probabilities: byPlane((plane) => said[plane].get(id)![2]),
        // States of before have none.
        logits: logits.every((logit) => logit !== undefined)
          ? byPlane((plane) => said[plane].get(id)![3]!)
          : undefined,
      };
    });
}

/** What a model said about a split; nothing if it was not evaluated on it. */
function _said(model: DoneModel, split: EvaluatedSplit): readonly SavedPrediction[] {
  return model[split] ?? [];
}
