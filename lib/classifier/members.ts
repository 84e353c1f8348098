/**
 * The files that a combination or an ensemble names: where they are read from, and whether they are still
 * what they were.
 */
import { WeightsError } from "../errors.ts";
import { folderOf, join } from "../files.ts";
import {
  hashSource,
  isAddress,
  isRemote,
  modelName,
  type ModelSource,
  openModelSource,
} from "../model/model_source.ts";
import type { Source } from "../source.ts";

/** A file that another file names. */
export interface NamedMember {
  /** Its path, from the folder of the file that names it. */
  file: string;
  /** Its SHA-256, in hexadecimal. */
  sha256: string;
}

/** The file that names members, and what the two are called in messages. */
export interface MemberOwner {
  /** The file that names them. */
  source: ModelSource;
  /** What that is. */
  kind: "combination" | "ensemble";
  /** What the member is to it, such as `coronal model`. */
  member: string;
}

const HINTS = {
  combination: { put: "put the model back, or combine again", made: "was combined" },
  ensemble: { put: "put it back, or make the ensemble again", made: "it was made of" },
} as const;

/**
 * Opens a member, if its bytes are those that the owner names.
 *
 * @throws {WeightsError} if it is missing, has changed, or may not be read from there
 */
export async function openMember(
  owner: MemberOwner,
  { file, sha256 }: NamedMember,
): Promise<{ source: ModelSource; opened: Source & Disposable }> {
  const name = modelName(owner.source);
  const { put: hint, made } = HINTS[owner.kind];
  const source = _memberSource(owner, file);
  const what = `read the ${owner.member} of '${name}',`;
  const opened = await openModelSource(source, { what, hint });
  try {
    // Checked before the file is parsed: a changed file is not the model that was named.
    if (await hashSource(opened) === sha256) return { source, opened };
    throw new WeightsError(
      `Cannot use the ${owner.kind} '${name}': its ${owner.member} '${opened.name}' is another than ` +
        `the one that ${made} (its SHA-256 is not ${sha256.slice(0, 12)}…): ${hint}`,
    );
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

/**
 * Where a member is read from: its file is named from the folder of its owner.
 *
 * @throws {WeightsError} if it is an address: a file says where files are, not what is to be fetched
 */
function _memberSource({ source: owner, kind }: MemberOwner, file: string): ModelSource {
  const name = modelName(owner);
  if (owner instanceof URL || typeof owner === "string" && isRemote(owner)) {
    const url = URL.parse(file, owner);
    // An untrusted file may name models beside it, but no address that this machine can reach.
    if (url !== null && url.origin === new URL(owner).origin) return url;
    throw new WeightsError(
      `Cannot use the ${kind} '${name}': its model '${file}' lies on another server: ` +
        "put the models beside it",
    );
  }
  if (isAddress(file)) {
    throw new WeightsError(
      `Cannot use the ${kind} '${name}': its model '${file}' is an address and not a path: ` +
        `put the models beside the ${kind}, or make it again`,
    );
  }
  const folder = folderOf(name);
  return folder === "." || /^([\\/]|[A-Za-z]:[\\/])/.test(file) ? file : join(folder, file);
}
