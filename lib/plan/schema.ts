/** What a plan's file and the file of a scored chunk must be, as schemas. */
import { ENGINE_CHOICES } from "../engine/engine.ts";
import { PLANES, TASKS } from "../terms.ts";
import { z } from "../zod.ts";
import type { Plan, ScorePlan, TrainPlan } from "./plan.ts";

/** No text in a file is longer, or commands a terminal. */
const Text = z.string().max(1000).regex(/^\P{Cc}*$/u, "it has control characters");
const Path = Text.min(1);
const Name = z.string().regex(/^[A-Za-z0-9._-]{1,100}$/);
const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Short = z.string().regex(/^[0-9a-f]{16}$/);
const Count = z.int().min(1);
const Index = z.int().min(0);
const Value = z.union([Text, z.number(), z.boolean()]);

/** What every plan has. */
const Head = {
  format: z.literal("mrnet-plan", "it is not a 'mrnet-plan' file"),
  version: z.literal(1, "its version is not 1"),
  asked: z.record(Text, z.json()),
};

const TrainSchema = z.strictObject({
  ...Head,
  kind: z.enum(["all", "folds", "seeds", "sweep"]),
  data: Path,
  prefix: Name,
  tune: z.strictObject({ fraction: z.number().gt(0).lt(1), seed: Index }),
  evaluateOn: z.array(z.enum(["tune", "fold", "valid"])).min(1),
  settings: z.array(z.strictObject({
    name: Text,
    options: z.record(Name, Value),
    weights: z.strictObject({ file: Path, sha256: Hash.optional() }),
  })).min(1).max(1000),
  folds: z.strictObject({ count: Count, sha256: Hash }).optional(),
  shared: z.strictObject({ models: Path, logs: Path }).optional(),
  labels: z.record(Name, Short),
  exams: z.partialRecord(z.enum(PLANES), Short),
  units: z.array(z.strictObject({
    index: Index,
    id: Name,
    task: z.enum(TASKS),
    plane: z.enum(PLANES),
    network: Name,
    setting: Count,
    seed: Index,
    fold: Count.optional(),
    threads: Count,
  })).min(1),
}).refine(
  ({ units, settings }) => units.every(({ setting }) => setting <= settings.length),
  "a unit has a setting that there is none of",
).refine(
  ({ units, folds }) => units.every(({ fold = 0 }) => fold <= (folds?.count ?? 0)),
  "a unit has a fold that there is none of",
);

const ScoreSchema = z.strictObject({
  ...Head,
  kind: z.literal("score"),
  manifest: z.strictObject({ file: Path, sha256: Hash, exams: Count }),
  model: z.strictObject({ file: Path, sha256: Hash }),
  engine: z.enum(ENGINE_CHOICES as readonly ["auto", "webgpu", "wasm", "cpu"]),
  threads: Count,
  units: z.array(z.strictObject({ index: Index, id: Name, first: Index, count: Count })).min(1),
});

/** The file of a plan. */
export const PlanSchema = z.discriminatedUnion("kind", [TrainSchema, ScoreSchema]);

type Read<P> = P & { format: "mrnet-plan"; version: 1 };
// The compiler holds the schemas against the interfaces.
TrainSchema satisfies z.ZodType<Read<TrainPlan>>;
ScoreSchema satisfies z.ZodType<Read<ScorePlan>>;
PlanSchema satisfies z.ZodType<Read<Plan>>;
