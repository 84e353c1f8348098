/** What `evaluate --json` prints of a model, as far as a card takes it up. */

/** Results of a model with this SHA-256. */
export function evaluationFile(sha256: string): Record<string, unknown> {
  return {
    ...{ model: "/home/somebody/acl.safetensors", sha256, task: "acl", plane: "sagittal" },
    ...{ data: "/home/somebody/mrnet", split: "valid", exams: 120, positives: 54 },
    ...{ auc: 0.912, auc_ci_delong: [0.861, 0.963], brier: 0.12 },
    ...{ average_precision: 0.9, average_precision_ci: null },
    thresholds: [
      _threshold(0.5, "half", 0.8),
      _threshold(0.3, "operating_point", 0.85),
    ],
    cautions: [],
  };
}

function _threshold(threshold: number, kind: string, sensitivity: number) {
  return {
    ...{ threshold, kind, sensitivity, sensitivity_ci: [0.731, 0.922] },
    ...{ specificity: 0.9, specificity_ci: [0.8, 0.95], accuracy: 0.88, accuracy_ci: [0.8, 0.93] },
  };
}
