/**
 * The weights an MRNet starts from: torchvision's network, trained on ImageNet. Fetched once, kept
 * in the folder of models, and trusted only if its hash is the one in its name.
 */
import { OptionError } from "../../errors.ts";
import { join, makeFolder } from "../../files.ts";
import { ALEXNET } from "../../network/alexnet.ts";
import type { Network } from "../../network/network.ts";
import { type Download, download, isThere } from "./download.ts";

/** Where torchvision publishes a network's weights; the name carries the first digits of the hash. */
export function imageNetUrl({ imageNetFile }: Network): string {
  return `https://download.pytorch.org/models/${imageNetFile}`;
}

/** Where the weights come from and where they go. */
export interface ImageNetOptions
  extends Pick<Download, "onProgress" | "signal" | "pause" | "patience"> {
  /** The folder of models; it is made if it is missing. */
  folder: string;
  /**
   * The network.
   * @default AlexNet
   */
  network?: Network;
  /**
   * Another address of the file. Its name must carry the hash, as in `alexnet-owt-7be5be79.pth`.
   *
   * @default torchvision's of the network
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
  const { folder, network = ALEXNET, url = imageNetUrl(network), ...rest } = options;
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
        `give one that ends like ${ALEXNET.imageNetFile}`,
    );
  }
  return { name, hash };
}
