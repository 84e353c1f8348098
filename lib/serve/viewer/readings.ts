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
import type { Service } from "../service.ts";
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

/** Asks the models and remembers what they said. */
export class Readings {
  readonly #service: Service;
  readonly #readings = new LeastRecent<Promise<Reading>>(MOST_READINGS);
  readonly #verdicts = new Map<string, Verdict[]>();

  /** @param service whose models are asked */
  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * Reads an exam with every model that its planes suffice for.
   *
   * @param key the exam's
   * @param read loads its planes
   */
  reading(key: string, read: () => Promise<Map<Plane, Exam>>): Promise<Reading> {
    const before = this.#readings.get(key);
    if (before !== undefined) return before;
    const reading = this.#read(key, read);
    this.#readings.set(key, reading);
    // What failed is tried again the next time.
    reading.catch(() => this.#readings.delete(key));
    return reading;
  }

  /** The verdicts on an exam, computed when nothing else is to be. */
  async verdicts(
    key: string,
    read: () => Promise<Map<Plane, Exam>>,
    signal: AbortSignal,
  ): Promise<Verdict[]> {
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const models = await this.#service.models();
    const exams = await read();
    const said = await predictions(
      { exams, models: _fitting(models, exams) },
      ({ model }, exam) => this.#service.compute(() => model.predict(exam), { signal, idle: true }),
    );
    return this.#remember(key, said);
  }

  async #read(key: string, read: () => Promise<Map<Plane, Exam>>): Promise<Reading> {
    const models = await this.#service.models();
    const exams = await read();
    const planes: Reading["planes"] = {};
    const ask = async (model: SingleModel, exam: Exam) => {
      const explanation = await this.#service.compute(() => explain(model.model, exam), {});
      planes[model.sha256] = _planeReading(explanation);
      const { probability, logits } = explanation;
      return { probability, logits };
    };
    const said = await predictions({ exams, models: _fitting(models, exams) }, ask);
    this.#remember(key, said);
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
