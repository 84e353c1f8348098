/**
 * A model of one plane as it was loaded: the network, which file it is of, and what is known about it.
 */
import type { Source } from "../source.ts";
import type { Plane, Task } from "../terms.ts";
import { resolveCard, type ResolvedCard } from "./card.ts";
import { loadMRNetFrom, type LoadOptions } from "./create.ts";
import { hashSource } from "./model_source.ts";
import type { MRNet } from "./mrnet.ts";

/** What a caller knows of a model beside its file; it must not contradict the file. */
export interface ModelHints extends LoadOptions {
  /** The finding. */
  task?: Task;
  /** The plane. */
  plane?: Plane;
  /** The plane, if neither the file nor {@linkcode ModelHints.plane} says it. */
  fallbackPlane?: Plane;
  /**
   * What the command line calls the option that gives the plane, for messages.
   * @default "--plane"
   */
  planeOption?: string;
}

/** A model that reads one plane. */
export interface PlaneModel {
  /** The network, on the current engine. */
  model: MRNet;
  /** Its file. */
  file: string;
  /** The SHA-256 of the file, in hexadecimal. */
  sha256: string;
  /** What it predicts, which plane it reads, and how its input is prepared. */
  card: ResolvedCard;
  /** How it was made, as the training run wrote it; empty for files of PyTorch. */
  metadata: Readonly<Record<string, string>>;
}

/**
 * Loads a model onto the current engine; one is started if none runs.
 *
 * @param source its file
 * @param sha256 that of the file, if it is known
 * @throws {WeightsError} if it is no MRNet, or has invalid metadata
 * @throws {OptionError} if the hints contradict the file, or both leave the finding or the plane open
 */
export async function loadPlaneModel(
  source: Source,
  { task, plane, intensity, fallbackPlane, planeOption }: ModelHints,
  sha256?: string,
): Promise<PlaneModel> {
  const { model, metadata, card: own } = await loadMRNetFrom(source, { intensity });
  try {
    const told = { task, plane: plane ?? (own.plane === undefined ? fallbackPlane : undefined) };
    const card = resolveCard(own, told, source.name, planeOption);
    const hash = sha256 ?? await hashSource(source);
    return { model, file: source.name, sha256: hash, card, metadata };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
