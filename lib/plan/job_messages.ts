/** What the thread that hands out units and a worker say to each other: plain values alone. */
import * as errors from "../errors.ts";
import type { Engine } from "../engine/engine.ts";
import type { ChunkOfPlan } from "./score_unit.ts";
import type { UnitHooks, UnitTraining } from "./train_unit.ts";
import type { UnitResult } from "./unit_file.ts";

/** The hooks that a worker calls in the other thread. */
export const CALLED = ["onDownload", "onStart", "onExam", "onEpoch", "onEvaluated"] as const;
/** A hook that a worker calls in the other thread. */
export type Called = (typeof CALLED)[number];

/** What a worker is to do. */
export type JobRequest =
  | { do: "train"; training: UnitTraining }
  | { do: "score"; chunk: ChunkOfPlan }
  | { do: "stop" };

/** What a worker says. */
export type JobReply =
  | { said: Called; given: unknown[] }
  | { said: "done"; result?: UnitResult }
  | { said: "error"; name: string; message: string; stack?: string };

/**
 * The arguments of a hook as plain values: functions and signals cannot be sent. The engine of a start
 * loses its check, which the worker makes itself.
 */
export function plainArguments(given: readonly unknown[]): unknown[] {
  return given.map(_plain);
}

/** The arguments of a hook as the caller expects them. */
export function hookArguments(said: Called, given: unknown[]): Parameters<
  Required<UnitHooks>[Called]
> {
  if (said === "onStart") {
    const start = given[0] as { engine: Engine };
    start.engine = { ...start.engine, check() {} };
  }
  return given as Parameters<Required<UnitHooks>[Called]>;
}

/** An error as plain values. */
export function errorReply(error: unknown): Extract<JobReply, { said: "error" }> {
  if (!(error instanceof Error)) return { said: "error", name: "Error", message: String(error) };
  const { name, message, stack } = error;
  return { said: "error", name, message, stack };
}

/** The error that a worker met, of its own class if that is one of the toolkit's. */
export function errorFrom(
  { name, message, stack }: Extract<JobReply, { said: "error" }>,
): Error {
  const known = Object.entries(errors).find(([each]) => each === name)?.[1];
  const isClass = known !== undefined && known.prototype instanceof Error;
  const error = isClass ? new (known as typeof errors.MRNetError)(message) : new Error(message);
  return Object.assign(error, { stack });
}

function _plain(value: unknown): unknown {
  if (typeof value === "function" || value instanceof AbortSignal) return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(_plain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, _plain(each)]));
}
