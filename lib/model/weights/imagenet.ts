/**
 * The weights an MRNet starts from: torchvision's AlexNet, trained on ImageNet. Fetched once, kept
 * in the folder of models, and trusted only if its hash is the one in its name.
 */
import { OptionError } from "../../errors.ts";
import { baseName, join, makeFolder } from "../../files.ts";
import { type Download, download, isThere } from "./download.ts";

/** Where torchvision publishes AlexNet's weights; the name carries the first digits of the hash. */
export const IMAGENET_URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth";

/** Where the weights come from and where they go. */
export interface ImageNetOptions
  extends Pick<Download, "onProgress" | "signal" | "pause" | "patience"> {
  /** The folder of models; it is made if it is missing. */
  folder: string;
  /**
   * Another address of the file. Its name must carry the hash, as in `alexnet-owt-7be5be79.pth`.
   *
   * @default IMAGENET_URL
   */
  url?: string;
}

/**
 * Makes sure that the ImageNet weights are in the folder of models, and gives the file's path. It uses the
 * network only if the file is missing or has another hash.
 *
 * @throws {WeightsError} if they are not there and cannot be fetched
 * @throws {PermissionError} if Deno may not reach the server, or not read or write the folder
 * @throws {OptionError} if the address is none, or its file name carries no hash
 */
export async function fetchImageNetWeights(options: ImageNetOptions): Promise<string> {
  const { folder, url = IMAGENET_URL, ...rest } = options;
  const { name, hash } = fileOf(url);
  const path = join(folder, name);
  if (await isThere({ path, hash, signal: rest.signal })) return path;
  await makeFolder(folder);
  const shown = `${folder.replace(/\/+$/, "")}/`;
  const hint = `put ${name} into ${shown} yourself, or start without it: --weights none`;
  await download({ ...rest, url, path, hash, hint });
  return path;
}

/** The file's name and the digits of its hash, by the rule of `torch.hub`: `NAME-DIGITS.EXTENSION`. */
function fileOf(url: string): { name: string; hash: string } {
  const parsed = URL.parse(url);
  const name = parsed?.pathname.split("/").at(-1) ?? "";
  const hash = /^[\w.-]*-([a-f0-9]{8,64})\.\w+$/.exec(name)?.[1];
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || hash === undefined) {
    throw new OptionError(
      `Cannot fetch '${url}': it is no web address of a file whose name carries its hash: ` +
        `give one that ends like ${baseName(IMAGENET_URL)}`,
    );
  }
  return { name, hash };
}
