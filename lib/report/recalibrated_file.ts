/** The recalibration in a model's file, of whatever kind: reading it, writing it and taking it away. */
import type { Ensemble } from "../classifier/ensemble.ts";
import { ENSEMBLE_FORMAT } from "../classifier/ensemble.ts";
import { MAX_JSON_BYTES } from "../classifier/load.ts";
import { byPlane, type Combination } from "../combine/combination.ts";
import { isCombinationFile, parseCombination, writeCombination } from "../combine/file.ts";
import { memberPath } from "../combine/members.ts";
import { OptionError, WeightsError } from "../errors.ts";
import { folderOf, join, makeWritableFolder, readBytes, writeWhole } from "../files.ts";
import { readCard } from "../model/card_metadata.ts";
import { MAX_MODEL_BYTES } from "../model/model_source.ts";
import {
  type Recalibration,
  recalibrationJson,
  recalibrationText,
} from "../model/recalibration.ts";
import { withMetadata } from "../model/weights/safetensors.ts";
import { looksLikeSafetensors, readHeader } from "../model/weights/safetensors_header.ts";
import { bytesSource } from "../model/weights/source.ts";

/** A file that can say how its model is recalibrated. */
type Kept =
  | { kind: "model"; bytes: Uint8Array; metadata: Record<string, string> }
  | { kind: "combination"; combination: Combination }
  | { kind: "ensemble"; ensemble: Ensemble };

/**
 * Makes sure that a file has a recalibration, or that it has none.
 *
 * @param wanted whether it must have one
 * @returns the one that is there
 * @throws {OptionError} if it is otherwise, or the file has no place for one
 * @throws {WeightsError} if it is no model
 */
export async function checkRecalibrated(
  file: string,
  wanted: boolean,
): Promise<Recalibration | undefined> {
  const kept = await _read(file);
  const found = _of(kept, file);
  if ((found !== undefined) === wanted) return found;
  throw new OptionError(
    found === undefined
      ? `Cannot take the recalibration out of '${file}': it has none`
      : `Cannot recalibrate '${file}': it is ${
        recalibrationText(found)
      } already: take that away with ` +
        "--undo first",
  );
}

/**
 * Writes a file anew with another recalibration, and its operating point with another threshold. Of a
 * model every byte of the weights stays.
 *
 * @param from the file
 * @param to the file to write; the same replaces it
 * @param recalibration none takes away what is there
 * @param threshold that of the operating point, if there is one
 * @throws {OptionError} if `to` is named as another kind of file, or the members cannot be reached from it
 * @throws {OutputError} if it cannot be written
 */
export async function setRecalibration(
  from: string,
  to: string,
  recalibration: Recalibration | undefined,
  threshold: number | undefined,
): Promise<void> {
  const kept = await _read(from);
  const ending = kept.kind === "model" ? ".safetensors" : ".json";
  if (!to.toLowerCase().endsWith(ending)) {
    throw new OptionError(
      `Cannot write '${to}': its name must end in ${ending}, as that of '${from}'`,
    );
  }
  await makeWritableFolder(folderOf(to));
  const moved = <T extends { threshold: number }>(point: T): T =>
    threshold === undefined ? point : { ...point, threshold };
  const member = <T extends { file: string }>(each: T): T => ({
    ...each,
    file: memberPath(to, join(folderOf(from), each.file)),
  });
  switch (kept.kind) {
    case "model": {
      const { recalibration: _, ...metadata } = kept.metadata;
      const { operating_point: point } = metadata;
      if (point !== undefined) metadata.operating_point = JSON.stringify(moved(JSON.parse(point)));
      if (recalibration !== undefined) {
        metadata.recalibration = JSON.stringify(recalibrationJson(recalibration));
      }
      await writeWhole(to, withMetadata(bytesSource(kept.bytes, from), metadata));
      return;
    }
    case "combination": {
      const { members, operatingPoint, recalibration: _, ...combination } = kept.combination;
      return await writeCombination(to, {
        ...combination,
        ...(members && { members: byPlane((plane) => member(members[plane])) }),
        operatingPoint: moved(operatingPoint),
        ...(recalibration && { recalibration }),
      });
    }
    case "ensemble": {
      const { members, outOfFold, recalibration: _, ...ensemble } = kept.ensemble;
      const { formatEnsemble } = await import("../classifier/ensemble_file.ts");
      await writeWhole(
        to,
        formatEnsemble({
          ...ensemble,
          members: members.map(member),
          ...(outOfFold && {
            outOfFold: { ...outOfFold, operatingPoint: moved(outOfFold.operatingPoint) },
          }),
          ...(recalibration && { recalibration }),
        }),
      );
      return;
    }
    default:
      kept satisfies never;
  }
}

async function _read(path: string): Promise<Kept> {
  const hint = "give a .safetensors file, or the .json of a combination or an ensemble";
  const action = { what: "recalibrate", path, access: "read", error: WeightsError, hint } as const;
  const isJson = isCombinationFile(path);
  const bytes = await readBytes(action, { most: isJson ? MAX_JSON_BYTES : MAX_MODEL_BYTES });
  if (isJson) return await _readJson(new TextDecoder().decode(bytes), path);
  const source = bytesSource(bytes, path);
  if (!looksLikeSafetensors(source)) {
    throw new OptionError(
      `Cannot recalibrate '${path}': a file of PyTorch has no place for it: convert it with ` +
        "'cli.ts convert IN OUT.safetensors' and recalibrate that",
    );
  }
  return { kind: "model", bytes, metadata: readHeader(source).metadata };
}

async function _readJson(text: string, path: string): Promise<Kept> {
  let format: unknown;
  try {
    format = JSON.parse(text)?.format;
  } catch {
    // What is wrong with it is said by who reads it.
  }
  if (format !== ENSEMBLE_FORMAT) {
    return { kind: "combination", combination: parseCombination(text, path) };
  }
  // What checks the file is loaded for ensembles alone.
  const { parseEnsemble } = await import("../classifier/ensemble_file.ts");
  return { kind: "ensemble", ensemble: parseEnsemble(text, path) };
}

function _of(kept: Kept, path: string): Recalibration | undefined {
  switch (kept.kind) {
    case "model":
      return readCard(kept.metadata, path).recalibration;
    case "combination":
      return kept.combination.recalibration;
    case "ensemble":
      return kept.ensemble.recalibration;
    default:
      return kept satisfies never;
  }
}
