/** Where a model is read from: a file, a URL, or bytes that are in memory already. */
import { concat } from "../bytes.ts";
import { messageOf, PermissionError, WeightsError } from "../errors.ts";
import { baseName, checkPlainFile, fileError, hashFile, readBytes } from "../files.ts";
import type { FileAction } from "../files.ts";
import type { Source } from "../source.ts";
import { redirectOf } from "./weights/redirect.ts";
import { bytesSource, openSource } from "./weights/source.ts";

/**
 * A path, a URL (`file:`, `http:` or `https:`, as a `URL` or, for the last two, as text), or the bytes
 * of the file.
 */
export type ModelSource = string | URL | Uint8Array;

/** The largest file that is read as a model, in bytes: AlexNet with its classifier has 244 MB. */
export const MAX_MODEL_BYTES = 512 * 1024 * 1024;

/** How long a server may send nothing, in milliseconds. */
const PATIENCE = 60_000;

const HINT = "give a .safetensors, .pth or .pt file of an MRNet";

/** Whether a text is a URL to fetch rather than a path. */
export function isRemote(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** What a model is called in messages: its path or URL. */
export function modelName(source: ModelSource): string {
  return source instanceof Uint8Array ? "bytes in memory" : String(source);
}

/** The file's own name, without its folder and the query of a URL. */
export function modelFileName(source: ModelSource): string {
  if (source instanceof Uint8Array) return "model";
  if (source instanceof URL || isRemote(source)) {
    return decodeURIComponent(baseName(new URL(source).pathname));
  }
  return baseName(source);
}

/** Whether a text is an address with a scheme, such as `https://…` or `file://…`, and not a path. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * All bytes of a model's file. An address that redirects to another one is refused.
 *
 * @throws {WeightsError} if it is missing, no plain file, cannot be fetched, sends on to another
 *   address, sends nothing for a minute, or is larger than {@linkcode MAX_MODEL_BYTES}
 * @throws {PermissionError} if Deno refuses the file or the network
 */
export async function readModelBytes(source: ModelSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const url = typeof source === "string" ? undefined : source;
  if (url?.protocol === "file:" || (typeof source === "string" && !isRemote(source))) {
    const path = url === undefined ? source as string : _pathOf(url);
    const what = "read the model";
    const action = { what, path, access: "read", error: WeightsError, hint: HINT } as const;
    return await readBytes(action, { most: MAX_MODEL_BYTES });
  }
  return await _fetch(new URL(source));
}

/** How a file on disk is spoken of where there is none. */
export type MissingFile = Pick<FileAction, "what" | "hint">;

/**
 * Opens a model's file. Of a file on disk only the bytes that are asked for come into memory; any other
 * source is read whole.
 *
 * @throws {WeightsError} as {@linkcode readModelBytes}
 * @throws {PermissionError} if Deno refuses the file or the network
 */
export async function openModelSource(
  source: ModelSource,
  missing: MissingFile = { what: "read the model", hint: HINT },
): Promise<Source & Disposable> {
  if (typeof source !== "string" || isRemote(source)) {
    const opened = bytesSource(await readModelBytes(source), modelName(source));
    return { ...opened, [Symbol.dispose]() {} };
  }
  await checkPlainFile(source).catch((error) => {
    throw fileError(error, { ...missing, path: source, access: "read", error: WeightsError });
  });
  return await openSource(source);
}

/** How much of a source is hashed at a time, in bytes. */
const HASHED_AT_ONCE = 1024 * 1024;

/** More than any model has; a sparse file may claim so much that hashing it would take days. */
const MAX_HASHED = 4 * 1024 ** 3;

/**
 * The SHA-256 of a model's file that is open, in hexadecimal.
 *
 * @throws {WeightsError} if it has more than 4 GiB
 */
export async function hashSource({ size, read, failure }: Source): Promise<string> {
  if (size > MAX_HASHED) {
    throw failure(`it is ${size} bytes long, allowed are ${MAX_HASHED}`, HINT);
  }
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += HASHED_AT_ONCE) {
    hash.update(read(at, Math.min(HASHED_AT_ONCE, size - at)));
  }
  return hash.digest("hex");
}

/** The path of a `file:` URL; on Windows `/C:/model` is `C:/model`. */
function _pathOf(url: URL): string {
  return decodeURIComponent(url.pathname).replace(/^\/([A-Za-z]:)/, "$1");
}

async function _fetch(url: URL): Promise<Uint8Array> {
  const refusal = (found: string) =>
    new WeightsError(`Cannot fetch the model '${url.href}': ${found}: ${HINT}`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refusal(`its protocol is '${url.protocol}', not http:, https: or file:`);
  }
  const silence = new AbortController();
  const patience = () =>
    setTimeout(() => silence.abort(new Error("the server sends nothing any more")), PATIENCE);
  let timer = patience();
  try {
    const response = await fetch(url, { redirect: "manual", signal: silence.signal });
    const elsewhere = redirectOf(response);
    if (elsewhere !== undefined) {
      await response.body?.cancel();
      throw refusal(elsewhere);
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw refusal(`the answer was ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = patience();
      size += chunk.length;
      if (size > MAX_MODEL_BYTES) throw refusal(`it has more than ${MAX_MODEL_BYTES} bytes`);
      chunks.push(chunk);
    }
    return concat(chunks);
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError(
        `Cannot fetch the model '${url.href}': Deno has no permission for it: ` +
          `run again with --allow-net=${url.host}`,
      );
    }
    throw refusal(messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The SHA-256 of a model's file, in hexadecimal: which model it is, whatever the file is called.
 *
 * @throws {WeightsError} if it cannot be read, or is no plain file
 * @throws {PermissionError} if Deno may not read it
 */
export async function hashModelFile(path: string): Promise<string> {
  return await hashFile({ what: "read the model", path, access: "read", error: WeightsError });
}
