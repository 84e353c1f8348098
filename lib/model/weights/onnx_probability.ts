/** How a probability is made of a logit, as nodes of an ONNX graph. */
import type { RecalibrationMap } from "../../metrics/recalibration.ts";
import type { AddNode, OnnxConstant } from "./onnx_input.ts";

/**
 * Appends the nodes that make `probability`, `[1]`, of `positive_logit`, `[1]`.
 *
 * @param map how; by the sigmoid if it is left out
 * @returns the constants that they refer to
 */
export function addProbability(add: AddNode, map: RecalibrationMap | undefined): OnnxConstant[] {
  switch (map?.method) {
    case undefined:
      add("Sigmoid", ["positive_logit"], "probability");
      return [];
    case "platt":
      add("Mul", ["positive_logit", "recalibration_slope"], "scaled_logit");
      add("Add", ["scaled_logit", "recalibration_intercept"], "recalibrated_logit");
      add("Sigmoid", ["recalibrated_logit"], "probability");
      return [
        _single("recalibration_slope", map.slope),
        _single("recalibration_intercept", map.intercept),
      ];
    case "temperature":
      add("Div", ["positive_logit", "recalibration_temperature"], "recalibrated_logit");
      add("Sigmoid", ["recalibrated_logit"], "probability");
      return [_single("recalibration_temperature", map.temperature)];
    case "isotonic":
      return _addIsotonic(add, map);
    default:
      return map satisfies never;
  }
}

/**
 * The first probability, and of each piece the share of its rise that lies below the logit. Pieces that
 * are level add nothing, and are left out.
 */
function _addIsotonic(
  add: AddNode,
  { logits, probabilities }: Extract<RecalibrationMap, { method: "isotonic" }>,
): OnnxConstant[] {
  const rising = logits.flatMap((from, i) => {
    const [to, rise] = [logits[i + 1], probabilities[i + 1] - probabilities[i]];
    // In float32 a narrow piece may have no width.
    const width = Math.max(Math.fround(to) - Math.fround(from), 1e-30);
    return rise > 0 ? [{ from, width, rise }] : [];
  });
  add("Sub", ["positive_logit", "piece_starts"], "beyond_starts");
  add("Div", ["beyond_starts", "piece_widths"], "piece_shares");
  add("Clip", ["piece_shares", "nothing", "everything"], "piece_shares_within");
  add("Mul", ["piece_shares_within", "piece_rises"], "risen");
  add("ReduceSum", ["risen"], "rise", { keepdims: 1 });
  add("Add", ["rise", "first_probability"], "probability");
  const list = (name: string, values: readonly number[]): OnnxConstant => ({
    ...{ name, values: Float32Array.from(values), single: false },
  });
  return [
    list("piece_starts", rising.map(({ from }) => from)),
    list("piece_widths", rising.map(({ width }) => width)),
    list("piece_rises", rising.map(({ rise }) => rise)),
    _single("first_probability", probabilities[0]),
    _single("nothing", 0),
    _single("everything", 1),
  ];
}

function _single(name: string, value: number): OnnxConstant {
  return { name, values: Float32Array.of(value), single: true };
}
