/** Which form of PyTorch's files of weights a file has; what reads them is another file, which takes longer to load. */
import type { Source } from "../source.ts";

/** The form of a PyTorch file by its first bytes; `undefined` if it is none. */
export function pytorchForm(source: Source): "zip" | "legacy" | "tar" | undefined {
  const start = source.read(0, Math.min(source.size, 262));
  if (start[0] === 0x50 && start[1] === 0x4b) return "zip";
  if (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5) return "legacy";
  if (new TextDecoder().decode(start.subarray(257)) === "ustar") return "tar";
  return undefined;
}
