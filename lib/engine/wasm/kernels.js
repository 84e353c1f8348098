// @ts-self-types="./kernels.d.ts"

/**
 * The compiled modules of this toolkit's own kernels; see `binary.js` about this kind of import. Only
 * the build that is asked for is compiled: a runtime may not understand the others.
 */

import { sharesMemory } from "./capabilities.ts";

export const loadKernels = ({ relaxedSimd, sharedMemory, multiMemory }) => {
  const shared = sharesMemory({ sharedMemory, multiMemory });
  if (relaxedSimd) {
    return shared ? import.source("./kernels.wasm") : import.source("./kernels_unshared.wasm");
  }
  return shared
    ? import.source("./kernels_plain.wasm")
    : import.source("./kernels_plain_unshared.wasm");
};
