/**
 * What can be judged by a dataset: the file of a model, or of a combination of three.
 *
 * @module
 */
import type { Combination, CombinedOperatingPoint } from "../combine/combination.ts";
import { isCombinationFile } from "../combine/file.ts";
import { type CombinedExamPrediction, evaluateCombined, openPlanes } from "../combine/judge.ts";
import { type CombinedMRNet, loadCombined } from "../combine/loaded.ts";
import { commonTune } from "../combine/members.ts";
import { PatientHashes } from "../combine/patient_hashes.ts";
import { type DatasetOptions, openDataset } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import { type ExamHash, hashExam } from "../data/exam_hash.ts";
import type { Intensity } from "../data/intensity.ts";
import type { LabelledId } from "../data/labels.ts";
import { oddityOf } from "../data/oddity.ts";
import { OptionError } from "../errors.ts";
import { type ChosenOn, type ModelCard, settleCard, type SettledCard } from "../model/card.ts";
import { loadMRNet } from "../model/create.ts";
import { hashModelFile } from "../model/model_source.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import { evaluate, type ExamPrediction } from "../train/evaluate.ts";
import { type Acquaintance, chosenBy, closest, fittedOn } from "./acquaintance.ts";

/** What is known about a model, or about a combination of three. */
export interface JudgedCard extends Omit<SettledCard, "plane" | "operatingPoint" | "intensity"> {
  /** The plane it reads; a combination reads all three. */
  plane: Plane | "combined";
  /** How its input is prepared; none where the models of a combination differ in it. */
  intensity?: SettledCard["intensity"];
  /** From where on an exam counts as positive; none where the file does not say. */
  operatingPoint?: CombinedOperatingPoint;
  /** The exams that chose its epoch, as far as that is known; of a combination those of its models. */
  epochBy: readonly ChosenOn[];
}

/** What was said about an exam, or about the three exams of a patient. */
export type JudgedPrediction = ExamPrediction | CombinedExamPrediction;

/** Called after each exam with the AUC so far, NaN where there is none. */
export type OnExam = (auc: number) => void;

/** The exams that something is to be judged by. */
export interface OpenedExams {
  /** The exams' ids and labels; of a combination the patients'. */
  labels: readonly LabelledId[];
  /** How many exams are read; a combination reads three a patient. */
  total: number;
  /** Reads them all. */
  judge(onExam: OnExam): Promise<JudgedExams>;
}

/** What was said about exams, and what they are. */
export interface JudgedExams {
  /** What the model says about each; of a combination, about each patient. */
  predictions: JudgedPrediction[];
  /** The exams that are unlike those that the model can read. */
  odd: OddExam[];
  /** How many of them chose the model's epoch and, where it is no combination, its operating point. */
  chosenBy?: Acquaintance;
  /** Of a combination: how many of the patients it was fitted on. */
  fittedOn?: Acquaintance;
}

/** An exam that is unlike those that a model can read. */
export interface OddExam {
  /** Its name; of a combination with its plane. */
  id: string;
  /** What is odd; see {@linkcode oddityOf}. */
  odd: string;
}

/** A model or a combination, loaded. */
export interface Judgeable {
  /** Its file. */
  file: string;
  /** The SHA-256 of the file. */
  sha256: string;
  /** What is known about it. */
  card: JudgedCard;
  /** How it was made, as its file says; empty for files of PyTorch and for combinations. */
  metadata: Record<string, string>;
  /** The combination, where it is one. */
  combination?: Combination;
  /** Opens and checks the exams of a part of a dataset. */
  open(options: Omit<DatasetOptions, "task" | "plane">): Promise<OpenedExams>;
  /** Frees its memory. */
  dispose(): void;
}

/** What the caller takes a model to be for, where that is known. */
export interface ToldOfModel {
  /** The finding. */
  task?: Task;
  /** The plane. */
  plane?: Plane;
  /** How its input is prepared. */
  intensity?: Intensity;
  /** The plane where the file does not say it, and nothing more certain is told. */
  otherwise?: Plane;
  /**
   * What the command line calls the option that tells the plane, for messages.
   * @default "--plane"
   */
  planeOption?: string;
}

/**
 * Reads a model or, from a `.json` file, a combination onto the current engine.
 *
 * @param told what must not contradict the file, and says what that leaves open
 * @throws {OptionError} where it contradicts the file, or the file leaves it open
 * @throws {WeightsError} where the file is neither
 */
export async function loadJudgeable(
  file: string,
  told: ToldOfModel,
): Promise<Judgeable> {
  return isCombinationFile(file) ? await _combined(file, told) : await _single(file, told);
}

async function _single(file: string, told: ToldOfModel): Promise<Judgeable> {
  const { intensity, planeOption } = told;
  const { model, metadata, card: own } = await loadMRNet(file, { intensity });
  const dispose = () => model.dispose();
  try {
    const plane = told.plane ?? (own.plane === undefined ? told.otherwise : undefined);
    const settled = settleCard(own, { task: told.task, plane }, file, planeOption);
    const card = { ...settled, epochBy: _epochBy([settled]) };
    const open = async (options: Omit<DatasetOptions, "task" | "plane">) => {
      const { task, plane, lossWeights } = card;
      const dataset = await openDataset({ ...options, task, plane });
      const judge = async (onExam: OnExam) => {
        const odd: OddExam[] = [];
        const hashes: Promise<ExamHash>[] = [];
        const { predictions } = await evaluate(model, dataset, {
          lossWeights,
          onRead({ exam }) {
            hashes.push(hashExam(exam));
            _note(odd, exam, exam.id, card.intensity);
          },
          onExam: (_, { auc }) => onExam(auc),
        });
        const evaluated = { split: options.split, hashes: await Promise.all(hashes) };
        return { predictions, odd, chosenBy: chosenBy(evaluated, settled) };
      };
      return { labels: dataset.labels, total: dataset.labels.length, judge };
    };
    return { file, sha256: await hashModelFile(file), card, metadata, open, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function _combined(file: string, told: ToldOfModel): Promise<Judgeable> {
  const combined = await loadCombined(file);
  const { task, combination, members } = combined;
  const dispose = () => combined.dispose();
  try {
    checkToldOfCombination(file, combined, told);
    const intensities = new Set(PLANES.map((plane) => members[plane].card.intensity));
    const card: JudgedCard = {
      task,
      plane: "combined",
      intensity: intensities.size === 1 ? members.axial.card.intensity : undefined,
      operatingPoint: combination.operatingPoint,
      tune: commonTune(members),
      epochBy: _epochBy(PLANES.map((plane) => members[plane].card)),
    };
    const open = async (options: Omit<DatasetOptions, "task" | "plane">) => {
      const datasets = await openPlanes({ ...options, task });
      const judge = async (onExam: OnExam) => {
        const odd: OddExam[] = [];
        const hashes = new PatientHashes();
        const { predictions } = await evaluateCombined(combined, datasets, {
          onRead({ exam }, plane) {
            hashes.add(exam, plane);
            _note(odd, exam, `${exam.id} ${plane}`, members[plane].card.intensity);
          },
          onExam: () => onExam(NaN),
        });
        const { split } = options;
        const planes = await hashes.planes();
        const chosen = PLANES.map((plane) =>
          chosenBy({ split, hashes: planes[plane] }, members[plane].card)
        );
        const patients = { split, hashes: await hashes.patients() };
        return {
          ...{ predictions, odd, chosenBy: closest(chosen) },
          fittedOn: fittedOn(patients, combination),
        };
      };
      const { labels } = datasets.axial;
      return { labels, total: labels.length * PLANES.length, judge };
    };
    return {
      file,
      sha256: await hashModelFile(file),
      card,
      metadata: {},
      combination,
      open,
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/**
 * Refuses what contradicts a combination, whose file and models say all of it.
 *
 * @param file the combination's, for messages
 * @throws {OptionError} where something does
 */
export function checkToldOfCombination(
  file: string,
  { task, members }: CombinedMRNet,
  told: ToldOfModel,
): void {
  if (told.plane !== undefined || (told.task ?? task) !== task) {
    const plane = told.plane === undefined ? "" : ` in the ${told.plane} plane`;
    throw new OptionError(
      `Cannot use the combination '${file}' for ${told.task ?? task}${plane}: by its file it is ` +
        `for ${task} in all three planes: leave --task and ${told.planeOption ?? "--plane"} out`,
    );
  }
  const { intensity } = told;
  const other = PLANES.find((plane) => members[plane].card.intensity !== intensity);
  if (intensity === undefined || other === undefined) return;
  throw new OptionError(
    `Cannot use the combination '${file}' with intensity ${intensity}: its ${other} model is ` +
      `${members[other].card.intensity}: leave the intensity out, or combine again with it`,
  );
}

function _note(found: OddExam[], exam: Exam, id: string, intensity: Intensity): void {
  const odd = oddityOf(exam, intensity);
  if (odd !== undefined) found.push({ id, odd });
}

/** The exams that chose the epochs of models, as far as their files say it. */
function _epochBy(cards: readonly ModelCard[]): ChosenOn[] {
  const exams = cards.map(({ operatingPoint }) => operatingPoint?.exams);
  return exams.filter((each) => each !== undefined);
}
