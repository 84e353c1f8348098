/**
 * What requests may say and what answers hold. Requests are checked by these schemas, and the OpenAPI
 * document is made from them.
 */
import { asciiOf } from "../quoted.ts";
import { PLANES, TASKS } from "../terms.ts";
import { z } from "../zod.ts";
import { Problem } from "./problem.ts";

export { z };

const Task = z.enum(TASKS).meta({ id: "Task", description: "A finding." });
const Plane = z.enum(PLANES).meta({ id: "Plane", description: "The plane of a series." });
const Probability = z.number().min(0).max(1);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/).meta({
  description: "SHA-256 of the model's file, 64 hexadecimal digits",
});
const Count = z.int().min(0);

const Switch = z.enum(["true", "false", "1", "0"]).transform((word) =>
  word === "true" || word === "1"
);

/** What stands behind the question mark of a prediction. */
export const PredictQuery = z.strictObject({
  model: z.string().min(1).max(200).optional().meta({
    description: "The model to ask, by its name; all that fit the planes if it is left out.",
  }),
  plane: Plane.optional().meta({
    description: "The plane of an exam that is sent by itself, needed if the models read " +
      "several planes; of a study that of series whose files do not say where their slices lie.",
  }),
  series: z.array(z.string().min(1).max(200)).max(20).optional().meta({
    description:
      "Which series of a study is meant if several fit a plane: PLANE=TEXT, or TEXT for " +
      "every plane, where TEXT is the series' description, in which * stands for anything, or its " +
      "identifier. May be given several times.",
  }),
  study: z.string().max(64).regex(/^\d+(\.\d+)+$/).optional().meta({
    description:
      "The Study Instance UID of a study that the service fetches from its PACS, if it has " +
      "one; nothing is sent then.",
  }),
  contributions: Switch.optional().meta({
    description: "Whether to say how much each slice adds to the logit.",
  }),
  overlays: Switch.optional().meta({
    description: "Whether to draw where the network looked, for every slice with a share.",
  }),
});

/** The media types of an exam that is sent by itself. */
export const NPY_TYPES = ["application/octet-stream", "application/x-npy"] as const;
/** The media types of a study that is sent by itself: an archive of its files, or one of them. */
export const STUDY_TYPES = [
  "application/zip",
  "application/x-zip-compressed",
  "application/dicom",
] as const;
/** The media type of exams or of a study's files that are sent together. */
export const FORM_TYPE = "multipart/form-data";
/** The media type in which DICOMweb sends a study's files. */
export const RELATED_TYPE = "multipart/related";

const Series = z.file().optional().meta({
  description: "The series of this plane as a .npy file.",
  contentMediaType: NPY_TYPES[0],
});

/** The form of a prediction. */
export const PredictForm = z.strictObject({
  axial: Series,
  coronal: Series,
  sagittal: Series,
  study: z.array(z.file()).optional().meta({
    description:
      "The files of one patient's study in place of exams: DICOM, NIfTI, zip archives of " +
      "them. Files of the type application/dicom or application/zip may have any name.",
  }),
  series: z.array(z.string()).optional().meta({
    description: "Which series of the study is meant, as in the query.",
  }),
}).meta({
  id: "PredictForm",
  description: "One exam a plane, or the files of a study.",
  minProperties: 1,
});

const OperatingPoint = z.object({
  threshold: Probability.meta({ description: "Positive from this probability on." }),
  rule: z.string().meta({ description: "How it was chosen." }),
  exams: z.string().meta({ description: "The exams it was chosen by." }),
}).meta({ id: "OperatingPoint", description: "From where on an exam counts as positive." });

/** How much each slice adds to the logit. */
export const Contributions = z.object({
  bias: z.number().meta({ description: "What is added whatever the exam shows." }),
  slices: z.array(z.number()).meta({
    description: "What each slice adds to logit 1, by the channels whose maximum is in it; " +
      "together with the bias they are the logit.",
  }),
}).meta({ id: "Contributions" });

const Overlay = z.object({
  slice: Count.meta({ description: "The slice, counted from 0." }),
  png: z.string().meta({
    description: "The slice with its map over it, a PNG image.",
    contentEncoding: "base64",
    contentMediaType: "image/png",
  }),
}).meta({ id: "Overlay" });

const Explained = {
  contributions: Contributions.optional(),
  overlays: z.array(Overlay).optional(),
};

const Outcome = {
  model: z.string().meta({ description: "The model's name." }),
  task: Task,
  sha256: Sha256,
  probability: Probability.meta({ description: "Of the finding." }),
  decision: z.boolean().meta({ description: "Whether the probability reaches the threshold." }),
  threshold: Probability.meta({
    description: "From where on the exam counts as positive: the operating point's, else 0.5.",
  }),
};

const Logits = z.array(z.number()).length(2).meta({
  description: "The two outputs before the sigmoid and before a recalibration; the second is the " +
    "finding's.",
});

const SinglePrediction = z.object({
  kind: z.literal("single"),
  ...Outcome,
  plane: Plane,
  logits: Logits,
  ...Explained,
}).meta({ id: "SinglePrediction", description: "What a model says about one exam." });

const MemberPrediction = z.object({
  sha256: Sha256,
  probability: Probability,
  logits: Logits,
  ...Explained,
}).meta({ id: "MemberPrediction", description: "What one of three models says about its exam." });

const CombinedPrediction = z.object({
  kind: z.literal("combined"),
  ...Outcome,
  logit: z.number().meta({ description: "What the sigmoid makes the probability of." }),
  planes: z.object({
    axial: MemberPrediction,
    coronal: MemberPrediction,
    sagittal: MemberPrediction,
  }),
}).meta({
  id: "CombinedPrediction",
  description: "What three models, one a plane, say together about a patient.",
});

const StudySeries = z.object({
  series: z.string().meta({ description: "Its identifier; of a NIfTI file its name." }),
  part: z.string().meta({
    description: "What tells it from other exams of the same series; empty if nothing.",
  }),
  description: z.string().meta({ description: "What the scanner's operator called it." }),
  slices: Count,
  rows: Count,
  columns: Count,
  side: z.string().meta({ description: "R, L, B or U; empty if nothing is said." }),
  sequence: z.string().meta({ description: "The kind of sequence and its options." }),
  remarks: z.array(z.string()).meta({ description: "What is odd about it." }),
}).meta({ id: "StudySeries", description: "A series of a study." });

const Candidate = StudySeries.extend({
  plane: Plane,
  choice: z.string().meta({ description: "The value of `series` that chooses this one." }),
}).meta({ id: "Candidate", description: "A series that may be meant." });

const PlanePrediction = z.object({
  probability: Probability,
  logits: Logits,
  ...Explained,
}).meta({
  id: "PlanePrediction",
  description: "What the members of an ensemble say together about one exam: the mean of their " +
    "logits, and the mean of what they explain it by.",
});

const EnsemblePrediction = z.object({
  kind: z.literal("ensemble"),
  ...Outcome,
  plane: z.enum([...PLANES, "combined"]).meta({
    description: "The plane that its members read; combined if each reads three.",
  }),
  logit: z.number().meta({ description: "The mean of the members' logits." }),
  planes: z.object({
    axial: PlanePrediction.optional(),
    coronal: PlanePrediction.optional(),
    sagittal: PlanePrediction.optional(),
  }),
}).meta({
  id: "EnsemblePrediction",
  description: "What several models of one plane, or several combinations, say together.",
});

const SentExam = z.object({
  slices: Count,
  height: Count,
  width: Count,
  odd: z.string().optional().meta({
    description:
      "Why not to rely on answers for this exam: its grey values are far from 0–255 and a " +
      "model takes them as they are, or its slices may be its last axis. Absent if nothing is odd.",
  }),
  series: StudySeries.optional().meta({ description: "The series of the study that it is." }),
}).meta({
  id: "SentExam",
  description: "The size of an exam in slices and pixels, and what is odd about it.",
});

/** The answer to `POST /v1/predict`. */
export const PredictAnswer = z.object({
  exams: z.object({
    axial: SentExam.optional(),
    coronal: SentExam.optional(),
    sagittal: SentExam.optional(),
  }).meta({ description: "What was sent." }),
  skipped: z.array(z.string()).optional().meta({
    description: "Files of the study that could not be read, and why; the first 20.",
  }),
  predictions: z.array(z.union([SinglePrediction, CombinedPrediction, EnsemblePrediction])),
  remark: z.string().meta({ description: "What the answer is not fit for." }),
}).meta({ id: "PredictAnswer" });

/** What is known about a model. */
export const ServedModel = z.object({
  model: z.string().meta({ description: "Its name, by which it can be asked for." }),
  kind: z.enum(["single", "combined", "ensemble"]),
  task: Task,
  planes: z.array(Plane).meta({ description: "The planes it reads; it needs all of them." }),
  sha256: Sha256,
  operating_point: OperatingPoint.optional(),
  recalibration: z.object({
    method: z.string().meta({ description: "platt, isotonic or temperature." }),
    exams: Count.meta({ description: "How many exams it was fitted on." }),
    on: z.string().meta({ description: "Which exams these were." }),
  }).optional().meta({
    description: "How its probabilities are made of its logits; by the sigmoid if it is not there.",
  }),
}).meta({ id: "ServedModel" });

/** The answer to `GET /v1/models`. */
export const ModelsAnswer = z.object({ models: z.array(ServedModel) }).meta({ id: "ModelsAnswer" });

/** The answer to `GET /healthz`. */
export const HealthAnswer = z.object({
  status: z.literal("ok"),
  models: z.enum(["not loaded", "loading", "loaded"]),
  waiting: Count.meta({ description: "Requests with exams, from their headers to their answer." }),
}).meta({ id: "HealthAnswer" });

/** What a request gets that cannot be answered. */
export const ProblemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().meta({ description: "What was found, and how to fix it." }),
  candidates: z.array(Candidate).optional().meta({
    description: "If several series of a study fit a plane: those that may be meant.",
  }),
}).meta({ id: "Problem", description: "Problem details as RFC 9457 has them." });

/** What a request asks for. */
export type PredictQuery = z.output<typeof PredictQuery>;
/** An answer. */
export type PredictAnswer = z.output<typeof PredictAnswer>;
/** A series of a study. */
export type StudySeries = z.output<typeof StudySeries>;
/** A series that may be meant. */
export type Candidate = z.output<typeof Candidate>;
/** What of a prediction may be left out. */
export type Explained = Pick<z.output<typeof SinglePrediction>, "contributions" | "overlays">;
/** What is known about a model. */
export type ServedModel = z.output<typeof ServedModel>;
/** How the service is. */
export type HealthAnswer = z.output<typeof HealthAnswer>;

/** The keys that may stand there several times. */
const REPEATED: ReadonlySet<string> = new Set(["series"]);

/**
 * Checks what stands behind the question mark.
 *
 * @throws {Problem} 400 if it has a key that is not known or twice, or a value that cannot be
 */
export function readQuery<T extends z.ZodType>(schema: T, query: URLSearchParams): z.output<T> {
  const given = [...query.keys()];
  const twice = given.find((key, index) => !REPEATED.has(key) && given.indexOf(key) !== index);
  if (twice !== undefined) throw new Problem(400, `The query has '${asciiOf(twice)}' twice`);
  const values = [...query].map(([key, value]) => [
    key,
    REPEATED.has(key) ? query.getAll(key) : value,
  ]);
  const checked = schema.safeParse(Object.fromEntries(values));
  if (checked.success) return checked.data;
  const faults = checked.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  );
  throw new Problem(400, `The query cannot be used: ${asciiOf(faults.join("; "), 300)}`);
}
