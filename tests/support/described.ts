/** A model whose file says all that a card can say, for tests of cards. */
import type { ExamSet } from "../../lib/data/exam_set.ts";
import type { ModelCard } from "../../lib/model/card.ts";

/** Exams as a run describes them. */
export const EXAM_SET: ExamSet = {
  ...{ exams: 1130, positives: 208, ids: "0a".repeat(32), labels: "1b".repeat(32) },
  ...{ slices: [17, 61], sizes: [{ name: "256×256", exams: 1130 }] },
  sequences: [{ name: "SE TR 3000 TE 31", exams: 1000 }, { name: "SE TR 2500", exams: 130 }],
  scanners: [{ name: "Example 3 T", exams: 1130 }],
};

/** What its file says; finding and plane are given by who writes it. */
export const FULL_CARD: Partial<ModelCard> = {
  about: {
    name: "Tears of the ACL | <b>bold</b> *stars*",
    version: "1.2.0",
    description: "One paragraph.\n\nAnother paragraph.",
    intendedUse: "Research on the order in which exams are read.",
    outOfScopeUse: "Diagnosis.\nChildren.",
    limitations: "One hospital.",
    license: "CC-BY-NC-4.0",
    licenseLink: "https://creativecommons.org/licenses/by-nc/4.0/",
    copyright: "2026 Example Hospital",
    authors: ["A. Author", "B. Author"],
    contact: "knee@example.org",
    datasets: ["MRNet", "example/knees"],
    dataSource: "https://stanfordmlgroup.github.io/competitions/mrnet/",
    references: ["Bien et al., PLOS Medicine 15(11), 2018"],
  },
  ...{ recipe: "reference", lossWeights: "output", tune: { fraction: 0.1, seed: 0 } },
  ...{ trainingSet: EXAM_SET, selectionSet: { ...EXAM_SET, exams: 113, positives: 21 } },
  ...{ trainedExams: ["0123456789abcdef"], chosenExams: ["00112233445566ff"] },
  ...{ epochRule: "auc", epoch: 12, trainAuc: 0.95, trainLoss: 0.5, valAuc: 0.875, valLoss: 0.6 },
  operatingPoint: { threshold: 0.3, rule: "youden", exams: "tune" },
  engine: "WebAssembly on the processor, 2 threads",
  config: {
    weights: "/home/somebody/start.pth",
    fold: 2,
    folds: "/home/somebody/f.csv",
    seed: 7,
    epochs: 50,
    lr: 1e-5,
    data: "/home/somebody/data",
  },
};
