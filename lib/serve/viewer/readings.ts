/**
 * What the models say about the exams of a viewer: the exam that is looked at with its maps, all
 * others in the background, each once.
 *
 * @module
 */
import type { Exam } from "../../data/exam.ts";
import { explain, type Explanation } from "../../explain/explain.ts";
import type { Plane } from "../../terms.ts";
import { type LoadedModel, planesOf, type SingleModel } from "../models.ts";
import { predictions } from "../predict.ts";
import type { CombinedPrediction, SinglePrediction } from "../schemas.ts";
import type { Service, Work } from "../service.ts";
import { LeastRecent } from "./least_recent.ts";

/** What a model's map of an exam is drawn from. */
export interface PlaneReading {
  /** What each slice adds to the logit. */
  shares: number[];
  bias: number;
  mapHeight: number;
  mapWidth: number;
  /** The map of each slice, `[mapHeight, mapWidth]`, in units of the logit. */
  maps: number[][];
}

/** What all models say about an exam. */
export interface Reading {
  predictions: (SinglePrediction | CombinedPrediction)[];
  /** By SHA-256 of a single model's file. */
  planes: Record<string, PlaneReading>;
}

/** An exam's prediction in the list. */
export type Verdict = Pick<SinglePrediction, "model" | "probability" | "decision">;

/** How many exams' maps are kept: a few kilobytes a slice. */
const MOST_READINGS = 32;

/** Digits that a map is sent with; it is drawn in 256 steps. */
const DIGITS = 4;

/** An exam that is to be read. */
export interface Asked {
  /** Its name among all exams. */
  key: string;
  /** Loads its planes. */
  read(): Promise<Map<Plane, Exam>>;
}

/** Asks the models and remembers what they said. */
export class Readings {
  readonly #service: Service;
  readonly #readings = new LeastRecent<Reading>({ most: MOST_READINGS });
  /** Of the dataset's exams only: no list asks for those of others. */
  readonly #verdicts = new Map<string, Verdict[]>();

  /** @param service whose models are asked */
  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * Reads an exam with every model that its planes suffice for, when the engine is free.
   *
   * @param request who asks
   * @param listed whether its verdicts are remembered
   * @throws {Problem} 429 or 503 where there is no time for it
   */
  async reading(request: Request, { key, read }: Asked, listed: boolean): Promise<Reading> {
    const before = this.#readings.get(key);
    if (before !== undefined) return before;
    return await this.#service.queued(request, async (deadline) => {
      const models = await deadline.wait(this.#service.models());
      const work: Work<Reading> = async (between) => {
        // Another request may have waited for the same.
        const meanwhile = this.#readings.get(key);
        if (meanwhile !== undefined) return meanwhile;
        const reading = await this.#read(models, await read(), between);
        this.#readings.set(key, reading);
        if (listed) this.#remember(key, reading.predictions);
        return reading;
      };
      return await deadline.wait(this.#service.compute(work, deadline));
    });
  }

  /** Forgets an exam that is no more. */
  forget(key: string): void {
    this.#readings.delete(key);
  }

  /** The verdicts on an exam, computed when nothing else is to be. */
  async verdicts(
    { key, read }: Asked,
    signal: AbortSignal,
  ): Promise<Verdict[]> {
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const models = await this.#service.models();
    const exams = await read();
    const said = await predictions(
      { exams, models: _fitting(models, exams) },
      ({ model }, exam) =>
        this.#service.compute((between) => model.predict(exam, { between }), {
          signal,
          idle: true,
        }),
    );
    return this.#remember(key, said);
  }

  async #read(
    models: readonly LoadedModel[],
    exams: Map<Plane, Exam>,
    between: () => Promise<void>,
  ): Promise<Reading> {
    const planes: Reading["planes"] = {};
    const ask = async (model: SingleModel, exam: Exam) => {
      const explanation = await explain(model.model, exam, { between });
      planes[model.sha256] = _planeReading(explanation);
      const { probability, logits } = explanation;
      return { probability, logits };
    };
    const said = await predictions({ exams, models: _fitting(models, exams) }, ask);
    return { predictions: said, planes };
  }

  #remember(key: string, said: Reading["predictions"]): Verdict[] {
    const verdicts = said.map(({ model, probability, decision }) => {
      return { model, probability, decision };
    });
    this.#verdicts.set(key, verdicts);
    return verdicts;
  }
}

function _fitting(models: readonly LoadedModel[], exams: ReadonlyMap<Plane, Exam>): LoadedModel[] {
  return models.filter((model) => planesOf(model).every((plane) => exams.has(plane)));
}

function _planeReading({ slices, bias, mapHeight, mapWidth }: Explanation): PlaneReading {
  return {
    shares: slices.map(({ share }) => share),
    bias,
    mapHeight,
    mapWidth,
    maps: slices.map(({ map }) => Array.from(map, (value) => Number(value.toPrecision(DIGITS)))),
  };
}
