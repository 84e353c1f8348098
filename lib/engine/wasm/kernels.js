// @ts-self-types="./kernels.d.ts"

/**
 * The compiled module of this toolkit's own kernels; see `binary.js` about this kind of import.
 *
 * @module
 */
import source kernels from "./kernels.wasm";

export { kernels };
