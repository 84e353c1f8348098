/**
 * What the models say about the exams of a viewer. The exam on show is read with its maps; all others
 * are read in the background, each once.
 */
import type { Classifier } from "../../classifier/classifier.ts";
import type { Exam } from "../../data/exam.ts";
import { explain, type Explanation } from "../../explain/explain.ts";
import { meanExplanation } from "../../explain/mean.ts";
import { decide } from "../../model/card.ts";
import type { PlaneModel } from "../../model/plane_model.ts";
import type { Plane } from "../../terms.ts";
import type { EngineTask, Host } from "../host.ts";
import { oddityFor, predictions, readingKey } from "../predict.ts";
import type { PredictAnswer } from "../schemas.ts";
import { LeastRecent } from "./least_recent.ts";
import { type ExamHashes, Verdicts } from "./verdicts.ts";

/** What a model's map of an exam is drawn from, and what it says of its plane. */
export interface PlaneReading {
  /** Of the finding, by this plane alone. */
  probability: number;
  /** What each slice adds to the logit. */
  shares: number[];
  bias: number;
  mapHeight: number;
  mapWidth: number;
  mapStride: number;
  mapStart: number;
  /** The map of each slice, `[mapHeight, mapWidth]`, in units of the logit. */
  maps: number[][];
}

/** What all models say about an exam. */
export interface ExamReading {
  predictions: PredictAnswer["predictions"];
  /** By {@linkcode readingKey}. */
  planes: Record<string, PlaneReading>;
  /** By plane: what is odd about the exam for one of the models that read it. */
  odd: Partial<Record<Plane, string>>;
}

/** An exam's prediction in the list. */
export interface Verdict {
  /** The model's name. */
  model: string;
  probability: number;
  /** What orders exams whose probabilities are all 1. */
  logit: number;
  decision: boolean;
}

/** How many exams' maps are kept: a few kilobytes a slice. */
const MAX_READINGS = 32;

/** Digits that a map is sent with; it is drawn in 256 steps. */
const DIGITS = 4;

/** An exam that is to be read. */
export interface AskedExam {
  /** Its name among all exams. */
  key: string;
  /** Its files, if it belongs to the dataset: what is said of other exams is forgotten with them. */
  files?: ReadonlyMap<Plane, string>;
  /** Loads its planes. */
  read(): Promise<Map<Plane, Exam>>;
}

/** Asks the models and remembers what they said. */
export class Readings {
  readonly #service: Host;
  readonly #readings = new LeastRecent<ExamReading>({ most: MAX_READINGS });
  readonly #verdicts: Verdicts;

  /**
   * @param service whose models are asked
   * @param verdicts where what is said of the dataset's exams is remembered
   */
  constructor(service: Host, verdicts: Verdicts) {
    this.#service = service;
    this.#verdicts = verdicts;
  }

  /**
   * Reads an exam with every model that its planes suffice for, and with those members of a combination
   * that they suffice for, when the engine is free.
   *
   * @param request who asks
   * @throws {Problem} 429 or 503 if there is no time for it
   */
  async reading(request: Request, { key, files, read }: AskedExam): Promise<ExamReading> {
    const hashes = await this.#hashesOf(files);
    // What is under the same name with other bytes is another exam.
    const own = hashes === undefined ? key : [...hashes.values()].join("+");
    const before = this.#readings.get(own);
    if (before !== undefined) return before;
    return await this.#service.queued(request, async (deadline) => {
      const models = await deadline.wait(this.#service.models());
      const task: EngineTask<ExamReading> = async (between) => {
        // Another request may have waited for the same.
        const meanwhile = this.#readings.get(own);
        if (meanwhile !== undefined) return meanwhile;
        const reading = await this.#read(models, await read(), between);
        if (await this.#isStill(hashes, files)) {
          this.#readings.set(own, reading);
          await this.#remember(models, hashes, reading.predictions);
        }
        return reading;
      };
      return await deadline.wait(this.#service.compute(task, deadline));
    });
  }

  /** Forgets an exam that is no more. */
  forget(key: string): void {
    this.#readings.delete(key);
  }

  /** The verdicts on an exam of the dataset, if all of them are known. */
  async known({ files }: AskedExam, signal: AbortSignal): Promise<Verdict[] | undefined> {
    const models = await this.#service.models();
    const hashes = await this.#hashesOf(files, signal);
    if (hashes === undefined) return undefined;
    const { verdicts, unknown } = await this.#recall(models, hashes);
    return unknown.length === 0 ? verdicts : undefined;
  }

  /**
   * The verdicts on an exam of the dataset; unknown ones are computed when the engine is idle.
   *
   * @param between awaited between two chunks of an exam
   */
  async verdicts(
    { files, read }: AskedExam,
    { signal, between }: { signal: AbortSignal; between(): Promise<void> },
  ): Promise<Verdict[]> {
    const models = await this.#service.models();
    const hashes = await this.#hashesOf(files, signal);
    const { verdicts, unknown } = await this.#recall(models, hashes);
    if (unknown.length === 0) return verdicts;
    const exams = await read();
    const said = await predictions(
      { exams, models: _fitting(unknown, exams) },
      {
        read: ({ model }, exam) =>
          this.#service.compute((free) => {
            return model.predict(exam, {
              between: async () => {
                await between();
                await free();
              },
            });
          }, { signal, idle: true }),
        tell: (reading) => reading,
      },
    );
    if (await this.#isStill(hashes, files)) await this.#remember(models, hashes, said);
    return [...verdicts, ...said.map(_verdictOf)];
  }

  /** Has what was said written down. */
  async save(): Promise<void> {
    await this.#verdicts.save();
  }

  async #read(
    models: readonly Classifier[],
    exams: Map<Plane, Exam>,
    between: () => Promise<void>,
  ): Promise<ExamReading> {
    const planes: ExamReading["planes"] = {};
    const read = ({ model }: PlaneModel, exam: Exam) => explain(model, exam, { between });
    const said = await predictions({ exams, models: _fitting(models, exams) }, {
      read,
      tell(reading, _, key) {
        planes[key] = _planeReading(reading as Explanation);
        const { probability, logits } = reading;
        return { probability, logits };
      },
    });
    // If a combination lacks a plane, its members can still read the other planes.
    for (const [plane, exam] of exams) {
      for (const classifier of models.filter(({ planes }) => planes.includes(plane))) {
        const key = readingKey(classifier, plane);
        if (key in planes) continue;
        const explanations: Explanation[] = [];
        for (const model of classifier.models.filter(({ card }) => card.plane === plane)) {
          explanations.push(await read(model, exam));
        }
        planes[key] = _planeReading(meanExplanation(explanations));
      }
    }
    const odd = Object.fromEntries([...exams.keys()].map((plane) => [
      plane,
      oddityFor({ exams, models }, plane),
    ]));
    return { predictions: said, planes, odd };
  }

  async #hashesOf(
    files: AskedExam["files"],
    signal?: AbortSignal,
  ): Promise<ExamHashes | undefined> {
    return files === undefined ? undefined : await this.#verdicts.hashesOf(files, signal);
  }

  /** Whether an exam's files are still what they were before they were read. */
  async #isStill(before: ExamHashes | undefined, files: AskedExam["files"]): Promise<boolean> {
    const now = await this.#hashesOf(files);
    return now === undefined || before !== undefined &&
        now.entries().every(([plane, sha256]) => before.get(plane) === sha256);
  }

  /** What is known of an exam, and the models of which nothing is. */
  async #recall(models: readonly Classifier[], hashes: ExamHashes | undefined) {
    const verdicts: Verdict[] = [];
    const unknown: Classifier[] = [];
    for (const model of _fitting(models, hashes ?? new Map())) {
      const kept = await this.#verdicts.get(model, hashes!);
      if (kept === undefined) {
        unknown.push(model);
        continue;
      }
      const [probability, logit] = kept;
      const decided = decide(probability, model.card);
      const decision = decided.decision === "positive";
      verdicts.push({ model: model.name, probability, logit, decision });
    }
    return { verdicts, unknown };
  }

  async #remember(
    models: readonly Classifier[],
    hashes: ExamHashes | undefined,
    said: ExamReading["predictions"],
  ): Promise<void> {
    if (hashes === undefined) return;
    for (const each of said) {
      const model = models.find(({ name }) => name === each.model)!;
      await this.#verdicts.set(model, hashes, [each.probability, _verdictOf(each).logit]);
    }
  }
}

function _verdictOf(said: ExamReading["predictions"][number]): Verdict {
  const { model, probability, decision } = said;
  const logit = said.kind === "single" ? said.logits[1] : said.logit;
  return { model, probability, logit, decision };
}

function _fitting(
  models: readonly Classifier[],
  exams: Pick<ReadonlyMap<Plane, unknown>, "has">,
): Classifier[] {
  return models.filter(({ planes }) => planes.every((plane) => exams.has(plane)));
}

function _planeReading(
  { probability, slices, bias, mapHeight, mapWidth, mapStride, mapStart }: Explanation,
): PlaneReading {
  return {
    probability,
    shares: slices.map(({ share }) => share),
    bias,
    mapHeight,
    mapWidth,
    mapStride,
    mapStart,
    maps: slices.map(({ map }) => Array.from(map, (value) => Number(value.toPrecision(DIGITS)))),
  };
}
