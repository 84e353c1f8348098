/**
 * The file of an ensemble: JSON that names its members by path and hash, and says what its operating
 * point was chosen by.
 *
 * Nothing in it is taken on trust: a value that is not what its key promises is refused by name.
 */
import { LONGEST_PATH } from "../combine/file.ts";
import { decodeHashes, encodeHashes } from "../data/exam_hash.ts";
import { TOLD_INTENSITIES } from "../data/intensity.ts";
import { messageOf, WeightsError } from "../errors.ts";
import { OPERATING_RULES, parseOperatingRule } from "../metrics/operating_rule.ts";
import { parseRecalibration, recalibrationJson } from "../model/recalibration.ts";
import { madeByJson, parseMadeBy } from "../model/made_by.ts";
import { PLANES, TASKS } from "../terms.ts";
import { z } from "../zod.ts";
import { type Ensemble, ENSEMBLE_FORMAT, ensembleRemark, MAX_MEMBERS } from "./ensemble.ts";

const VERSION = 1;

/** Of more exams the file does not say which they were: the hashes of these take 44 kB. */
const MAX_HASHES = 4000;

const Share = z.number().min(0).max(1);

const Member = z.object({
  file: z.string().min(1).max(LONGEST_PATH).regex(/^\P{Cc}*$/u, "needed is a path in one line"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "needed are 64 hexadecimal digits"),
  intensity: z.enum(TOLD_INTENSITIES).optional(),
});

const OutOfFold = z.object({
  exams: z.int().min(2),
  positives: z.int().min(1),
  auc: Share,
  hashes: z.string().optional(),
  operating_point: z.object({
    threshold: Share,
    rule: z.string().transform((text, context) => {
      const rule = parseOperatingRule(text);
      if (rule !== undefined) return rule;
      context.addIssue(`needed is ${OPERATING_RULES}`);
      return z.NEVER;
    }),
    exams: z.literal("out-of-fold"),
  }),
});

/** Keys that are not known are passed over. */
const EnsembleFile = z.object({
  format: z.literal(ENSEMBLE_FORMAT),
  version: z.literal(VERSION),
  task: z.enum(TASKS),
  plane: z.enum([...PLANES, "combined"]),
  members: z.array(Member).min(2).max(MAX_MEMBERS),
  out_of_fold: OutOfFold.optional(),
  recalibration: z.record(z.string(), z.unknown()).transform((value, context) => {
    try {
      return parseRecalibration(value);
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  }).optional(),
});

/** The text of an ensemble's file, which {@linkcode parseEnsemble} reads back. */
export function formatEnsemble(ensemble: Ensemble): string {
  const { task, plane, members, outOfFold, recalibration } = ensemble;
  const file = {
    format: ENSEMBLE_FORMAT,
    version: VERSION,
    task,
    plane,
    members,
    out_of_fold: outOfFold && {
      exams: outOfFold.exams,
      positives: outOfFold.positives,
      auc: outOfFold.auc,
      hashes: outOfFold.hashes && outOfFold.hashes.length <= MAX_HASHES
        ? encodeHashes(outOfFold.hashes)
        : undefined,
      operating_point: outOfFold.operatingPoint,
    },
    recalibration: recalibration && recalibrationJson(recalibration),
    remark: ensembleRemark(ensemble),
    ...madeByJson(ensemble),
  };
  return JSON.stringify(file, null, 2) + "\n";
}

/**
 * Reads the text of an ensemble's file.
 *
 * @param path the file, for messages
 * @throws {WeightsError} if it is no ensemble, or says of itself what cannot be
 */
export function parseEnsemble(text: string, path: string): Ensemble {
  try {
    return _ensemble(JSON.parse(text));
  } catch (error) {
    const found = error instanceof z.ZodError
      ? _firstIssue(error)
      : error instanceof SyntaxError
      ? `it is not JSON (${messageOf(error).slice(0, 80)})`
      : messageOf(error);
    throw new WeightsError(
      `Cannot use the ensemble '${path}': ${found}: give a file that 'cli.ts ensemble' wrote`,
    );
  }
}

function _ensemble(json: unknown): Ensemble {
  const { out_of_fold: told, ...file } = EnsembleFile.parse(json);
  const { task, plane, members, recalibration } = file;
  const made = parseMadeBy(json as Record<string, unknown>);
  const twice = members.find(({ sha256 }, index) =>
    members.findIndex((other) => other.sha256 === sha256) !== index
  );
  if (twice !== undefined) throw new RangeError(`it names the member ${twice.sha256} twice`);
  const known = { task, plane, members, ...(recalibration && { recalibration }), ...made };
  if (told === undefined) return known;
  const { exams, positives, auc, operating_point: operatingPoint } = told;
  if (positives >= exams) throw new RangeError(`its positives are ${positives} of ${exams} exams`);
  const hashes = told.hashes === undefined ? undefined : decodeHashes(told.hashes);
  if (hashes !== undefined && hashes.length !== exams) {
    throw new RangeError(`its hashes are ${hashes.length}, though its exams are ${exams}`);
  }
  const outOfFold = { exams, positives, auc, ...(hashes && { hashes }), operatingPoint };
  return { ...known, outOfFold };
}

/** What is wrong first, with the key. */
function _firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length === 0 ? "it is no JSON object" : `its ${path.join(".")}: ${message}`;
}
