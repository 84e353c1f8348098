/**
 * The items of two checklists, each with its number, a short title in our own words, what a run knows of
 * it, and what a person must write.
 *
 * - TRIPOD+AI: G. S. Collins et al., TRIPOD+AI statement: updated guidance for reporting clinical
 *   prediction models that use regression or machine learning methods, BMJ 385, 2024,
 *   doi:10.1136/bmj-2023-078378.
 * - CLAIM: A. S. Tejani et al., Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
 *   update, Radiology: Artificial Intelligence 6(4), 2024, doi:10.1148/ryai.240300.
 */
import * as facts from "./checklist_facts.ts";
import type { Facts } from "./checklist_facts.ts";

/** An item: its number, its title, what a run knows of it, and what is left to write; nothing if all is known. */
export type ChecklistItem = readonly [
  number: string,
  title: string,
  known: Facts | undefined,
  rest?: string,
];

/** A checklist. */
export interface Checklist {
  /** What it is called. */
  name: string;
  /** Where it is published. */
  source: string;
  /** The items, in their order. */
  items: readonly ChecklistItem[];
}

/** TRIPOD+AI, of 2024. */
const TRIPOD_AI: readonly ChecklistItem[] = [
  [
    "1",
    "Title",
    facts.model,
    "a title that names population, finding, and whether a model is developed or evaluated",
  ],
  ["2", "Abstract", undefined, "the abstract, by TRIPOD+AI's own list for abstracts"],
  [
    "3a",
    "Health care context, earlier models",
    undefined,
    "why the model is needed, and what there is already",
  ],
  [
    "3b",
    "Target population, purpose, users",
    facts.intendedUse,
    "for whom, where in the care, and who uses it",
  ],
  ["3c", "Known health inequalities", undefined, "inequalities between groups of these patients"],
  ["4", "Objectives", undefined, "what the study is to show; development, evaluation, or both"],
  [
    "5a",
    "Sources of data",
    facts.dataSources,
    "where the exams come from, why these, and whom they stand for",
  ],
  ["5b", "Dates of the data", undefined, "from when to when exams were taken"],
  ["6a", "Setting and centres", facts.acquisition, "how many hospitals, of which kind, and where"],
  ["6b", "Who was included", undefined, "the criteria for patients and exams"],
  ["6c", "Treatments", undefined, "treatments before the exam, if they matter"],
  [
    "7",
    "Preparation and checks of the data",
    facts.preparation,
    "what was done before the exams were given to the toolkit",
  ],
  [
    "8a",
    "Outcome and how it is determined",
    undefined,
    "what counts as the finding, and by whom or what it is known",
  ],
  ["8b", "Who determines the outcome", undefined, "qualifications of the readers"],
  ["8c", "Blinding of the outcome", undefined, "what the readers knew when they read"],
  ["9a", "Choice of predictors", facts.model, "why these series"],
  ["9b", "Definition of predictors", facts.acquisition, "how the images were acquired"],
  ["9c", "Who assesses predictors", () => ["The network reads the images itself."], undefined],
  [
    "10",
    "Sample size",
    facts.flow,
    "how the number of exams came about; 'cli.ts power' computes what is needed",
  ],
  ["11", "Missing data", facts.missing, "exams and labels that were missing before"],
  ["12a", "How the data were used", facts.partitions, "why they were divided so"],
  ["12b", "Handling of predictors", facts.preparation],
  [
    "12c",
    "Type of model, training, selection",
    (e) => [...facts.model(e), ...facts.training(e), ...facts.selection(e)],
    "why this model and these settings",
  ],
  [
    "12d",
    "Differences between centres",
    undefined,
    "how clusters such as hospitals were taken into account",
  ],
  ["12e", "Measures of performance", facts.methods],
  ["12f", "Updating, such as recalibration", facts.recalibration],
  ["12g", "How predictions were computed", facts.software],
  ["13", "Imbalance of the classes", facts.imbalance, "whether and why it was corrected"],
  ["14", "Fairness", undefined, "what was done for it, and why"],
  ["15", "Output of the model", facts.output, "why this threshold"],
  [
    "16",
    "Differences between training and evaluation",
    facts.disjoint,
    "differences in setting, patients and labels",
  ],
  ["17", "Ethical approval", undefined, "the board, its decision, and consent"],
  ["18a", "Funding", undefined, "who paid, and what they had to say"],
  ["18b", "Conflicts of interest", undefined, "those of all authors"],
  ["18c", "Protocol", facts.references, "where the study's protocol is"],
  ["18d", "Registration", undefined, "the register and the number, or that there is none"],
  ["18e", "Availability of data", facts.availability, "whether others can have the exams"],
  ["18f", "Availability of code", facts.software, "where the code is"],
  ["19", "Involvement of patients and public", undefined, "in which steps, or that there was none"],
  ["20a", "Flow of participants", facts.flow, "the steps before the label file was made"],
  [
    "20b",
    "Characteristics of participants",
    facts.groups,
    "age, sex and what else is known, for each source",
  ],
  [
    "20c",
    "Comparison with the training data",
    (e) => [...facts.flow(e), ...facts.acquisition(e)],
    "how predictors and patients differ",
  ],
  ["21", "Numbers in each analysis", facts.flow],
  ["22", "The whole model", facts.availability, "how others can get predictions from it"],
  [
    "23a",
    "Performance with intervals, and by groups",
    (e) => [...facts.performance(e), ...facts.groups(e)],
  ],
  [
    "23b",
    "Performance by centre",
    undefined,
    "if there are several; --groups with a column for it gives the metrics",
  ],
  [
    "24",
    "Results of updating",
    ({ card: { recalibration } }) =>
      recalibration === undefined ? ["The model was not recalibrated."] : [],
    "the metrics before and after, on exams that did not fit it",
  ],
  ["25", "Interpretation", undefined, "what the results mean, with fairness and earlier studies"],
  ["26", "Limitations", facts.limitations, "what limits the study, and in which direction"],
  [
    "27a",
    "Poor or missing input",
    facts.missing,
    "what is to be done in use if an exam is poor or missing",
  ],
  ["27b", "Interaction with users", undefined, "what users must do and know"],
  ["27c", "Next steps", undefined, "what is to be studied before the model is used elsewhere"],
];

/** CLAIM, in its update of 2024. */
const CLAIM: readonly ChecklistItem[] = [
  ["1", "Title names the technology", facts.model, "the title"],
  ["2", "Abstract", undefined, "design, methods, results, conclusions"],
  [
    "3",
    "Background and intended use",
    facts.intendedUse,
    "the background, and the role of the model",
  ],
  ["4", "Aims and hypotheses", undefined, "the aims"],
  ["5", "Prospective or retrospective", undefined, "which of the two"],
  [
    "6",
    "Goal of the study",
    undefined,
    "such as feasibility, or that a model is not worse than another",
  ],
  ["7", "Sources of data", facts.dataSources, "the hospitals and archives"],
  ["8", "Inclusion and exclusion", undefined, "the criteria, and dates"],
  ["9", "Preprocessing", facts.preparation, "steps before the exams were given to the toolkit"],
  [
    "10",
    "Selection of data subsets",
    (
      { card: { plane } },
    ) => [plane === "combined" ? "One series of each plane." : `The ${plane} series.`],
    "how series were chosen",
  ],
  ["11", "De-identification", undefined, "how it was done and checked"],
  ["12", "Missing data", facts.missing, "exams and labels that were missing before"],
  ["13", "Image acquisition", facts.acquisition, "the protocol of the scanners"],
  ["14", "Reference standard", undefined, "how the label of an exam is known"],
  ["15", "Why this reference standard", undefined, "why, and its limits"],
  ["16", "Source of the annotations", undefined, "who labelled, and how they were prepared"],
  ["17", "Annotation of the test set", undefined, "how these exams were labelled"],
  ["18", "Variability of the annotations", undefined, "agreement between and within readers"],
  ["19", "How partitions were made", facts.partitions, "how exams were assigned"],
  [
    "20",
    "Level at which partitions are apart",
    facts.disjoint,
    "whether by patient, hospital or time",
  ],
  ["21", "Intended sample size", facts.flow, "how it was planned; 'cli.ts power' computes it"],
  ["22", "Description of the model", (e) => [...facts.model(e), ...facts.output(e)], undefined],
  ["23", "Software", facts.software],
  ["24", "Initial parameters", facts.initial, "where the file does not say it"],
  ["25", "Training", facts.training, "augmentation and settings that the file does not name"],
  ["26", "Selection of the final model", facts.selection, "how many models were tried"],
  ["27", "Ensembles", (e) => {
    const told = facts.together(e);
    return told.length > 0 ? told : ["One model alone."];
  }],
  ["28", "Metrics", facts.methods],
  ["29", "Significance and uncertainty", facts.methods],
  ["30", "Robustness", undefined, "how results change with the data or the settings"],
  [
    "31",
    "Explanation",
    () => [
      "'cli.ts predict --cam' divides a logit into the shares of slices and pixels, as an exact sum.",
    ],
    "whether it was used and checked",
  ],
  [
    "32",
    "Evaluation on internal data",
    facts.disjoint,
    "whether the evaluated exams are of the training's source",
  ],
  ["33", "Test on external data", undefined, "whether they are of another source"],
  ["34", "Registration", undefined, "the number of a trial, or that there is none"],
  ["35", "Numbers included and excluded", facts.flow, "a figure of the steps before"],
  [
    "36",
    "Characteristics of each partition",
    (e) => [...facts.flow(e), ...facts.groups(e)],
    "age, sex and clinical data",
  ],
  ["37", "Performance with uncertainty", (e) => [...facts.performance(e), ...facts.groups(e)]],
  ["38", "Diagnostic performance and precision", facts.performance],
  ["39", "Analysis of failures", facts.failures, "why these exams were decided wrongly"],
  ["40", "Limitations", facts.limitations, "limits of the study"],
  ["41", "Implications for practice", facts.intendedUse, "what follows for practice"],
  ["42", "Protocol and further details", facts.references, "where they are"],
  [
    "43",
    "Availability of software, model, data",
    (e) => [...facts.availability(e), ...facts.software(e)],
    "where others can have them",
  ],
  ["44", "Funding", undefined, "who paid, and what they had to say"],
];

/** Both checklists. */
export const CHECKLISTS: readonly Checklist[] = [
  {
    name: "TRIPOD+AI (2024)",
    source: "Collins et al., BMJ 385, 2024, https://doi.org/10.1136/bmj-2023-078378",
    items: TRIPOD_AI,
  },
  {
    name: "CLAIM (2024 update)",
    source:
      "Tejani et al., Radiology: Artificial Intelligence 6(4), 2024, https://doi.org/10.1148/ryai.240300",
    items: CLAIM,
  },
];
