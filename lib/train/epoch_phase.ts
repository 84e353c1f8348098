/**
 * One phase of an epoch: a pass over the training exams or over the validation exams. It can be stopped
 * and resumed in the middle.
 */
import { type Dataset, examsInOrder, type LabelledExam } from "../data/dataset.ts";
import { currentEngine } from "../engine/engine.ts";
import { DataError, messageOf } from "../errors.ts";
import { RunningAuc } from "../metrics/roc.ts";
import { sigmoid } from "../model/mrnet.ts";
import type { Label } from "../terms.ts";
import { yieldToEventLoop } from "./yield_to_event_loop.ts";
import { isComputed } from "./evaluate.ts";
import { type Started, withInFlight } from "./in_flight.ts";
import type { Passed, Position } from "./progress.ts";
import type { EngineNetwork } from "../model/engine_network.ts";
import type { ExamResult } from "./exam_result.ts";
import type { ExamReport, SkippedExam } from "./reports.ts";

/** A phase of an epoch. */
export interface EpochPhase {
  phase: "train" | "valid";
  /** The epoch, counted from 1. */
  epoch: number;
  dataset: Dataset;
  /** The indices of its exams in the dataset, in the order of the pass. */
  order: readonly number[];
  /** The results so far; the phase adds the rest. */
  passed: Passed[];
  /** Exams that are left out; unreadable ones are added, if they may be left out. */
  skipped: SkippedExam[];
  skipBadExams: boolean;
  network: EngineNetwork;
  /** Gives an exam to the network. */
  start(exam: LabelledExam): Promise<ExamResult>;
  /** The error of a loss that is not finite. */
  diverged(id: string, loss: number): Error;
  signal?: AbortSignal;
  onExam?: (report: ExamReport) => void;
  /** Called with each exam before its result is awaited. */
  onPosition?: (position: Pick<Position, "number" | "total" | "id">) => void;
  /** Whether to pause after the present exam and save the state. */
  due?: () => boolean;
  /** Saves the state; no exam is in flight then. */
  save: () => Promise<void>;
}

/** The result of a whole phase. */
export interface PhaseMetrics {
  /** The mean of the losses. */
  loss: number;
  auc: number;
  labels: Label[];
  probabilities: number[];
}

/**
 * Runs the phase to its end.
 *
 * @returns nothing if the signal ended it before
 * @throws {DataError} if an exam cannot be read and may not be left out, after the state was saved; or
 * if the exams that remain are of one class
 */
export async function runPhase(pass: EpochPhase): Promise<PhaseMetrics | undefined> {
  const { phase, epoch, dataset, order, passed, skipped, network, signal } = pass;
  const engine = currentEngine();
  const out = new Set(skipped.filter(({ split }) => split === phase).map(({ id }) => id));
  const labelled = (index: number) => dataset.labels[order[index]];
  const tally = new Tally();
  passed.forEach((each, index) => tally.add(labelled(index).label, each));
  const total = order.length;
  while (passed.length < total) {
    if (out.has(labelled(passed.length).id)) {
      passed.push(null);
      continue;
    }
    if (signal?.aborted) return undefined;
    const next = order.slice(passed.length);
    const stop = next.findIndex((index) => out.has(dataset.labels[index].id));
    const indices = stop < 0 ? next : next.slice(0, stop);
    const announce = () => {
      if (passed.length === total) return;
      pass.onPosition?.({ number: passed.length + 1, total, id: labelled(passed.length).id });
    };
    announce();
    try {
      for await (
        const { id, label, result } of withInFlight(_started(pass, indices), network.inFlight)
      ) {
        engine.check();
        const { loss, logits } = result;
        if (!isComputed(result)) throw pass.diverged(id, loss);
        const done: Passed = [loss, ...logits];
        passed.push(done);
        tally.add(label, done);
        pass.onExam?.({
          ...{ phase, epoch, done: passed.length, total, id, ...result },
          ...{ meanLoss: tally.loss, auc: tally.auc, learningRate: network.learningRate },
        });
        announce();
      }
    } catch (failure) {
      if (!(failure instanceof ReadFailure)) throw failure;
      // The results before it are saved, so nothing is lost once the file is repaired.
      if (!pass.skipBadExams || !(failure.error instanceof DataError)) {
        await pass.save();
        throw failure.error;
      }
      const { id } = labelled(passed.length);
      out.add(id);
      skipped.push({ split: phase, id, reason: messageOf(failure.error) });
      continue;
    }
    if (passed.length < total && signal?.aborted) return undefined;
    if (pass.due?.() === true && passed.length < total) await pass.save();
  }
  if (tally.seen.size === 2) return tally;
  const exams = phase === "train" ? "train on" : "validate on";
  const first = skipped.find(({ split }) => split === phase);
  throw new DataError(
    `Cannot go on training: of the ${total} exams to ${exams} ${out.size} cannot be read, and ` +
      "those that are left are not of both classes: fix the files" +
      (first === undefined ? "" : `; the first: ${first.reason}`),
  );
}

/** The failure of an exam that could not be read; a failure to compute is another. */
class ReadFailure {
  constructor(readonly error: unknown) {}
}

async function* _read(exams: AsyncIterable<LabelledExam>): AsyncGenerator<LabelledExam> {
  try {
    yield* exams;
  } catch (error) {
    throw new ReadFailure(error);
  }
}

/** Gives exam after exam to the network; ends at the signal, and when the state is to be saved. */
async function* _started(
  { dataset, start, signal, due }: EpochPhase,
  indices: readonly number[],
): AsyncGenerator<Started> {
  for await (const labelled of _read(examsInOrder(dataset, indices))) {
    yield { id: labelled.exam.id, label: labelled.label, result: start(labelled) };
    await yieldToEventLoop();
    if (signal?.aborted || due?.() === true) return;
  }
}

/** The metrics of a phase so far. */
class Tally implements PhaseMetrics {
  readonly labels: Label[] = [];
  readonly probabilities: number[] = [];
  readonly seen = new Set<Label>();
  readonly #running = new RunningAuc();
  #sum = 0;

  add(label: Label, passed: Passed): void {
    if (passed === null) return;
    const [loss, , present] = passed;
    const probability = sigmoid(present);
    this.#sum += loss;
    // Ranked by the logit: far from 0, many logits have the same probability.
    this.#running.add(label, present);
    this.seen.add(label);
    this.labels.push(label);
    this.probabilities.push(probability);
  }

  get loss(): number {
    return this.#sum / this.labels.length;
  }

  get auc(): number {
    return this.#running.value;
  }
}
