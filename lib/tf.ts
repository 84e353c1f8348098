/**
 * TensorFlow.js, for the whole toolkit: the only file that imports it.
 *
 * The umbrella package is used, at the same version as the backends, so that a script's own
 * `npm:@tensorflow/tfjs@4.22.0` and this toolkit share one engine and can exchange tensors. It is loaded
 * when the first engine starts, but its modules do not run yet: that takes longer than all else of a first
 * answer, and our own WebAssembly kernels need none of it. They run when something needs them, which
 * need not wait for it. Until then the functions here do not exist, and there is no backend.
 */
import type * as TensorFlow from "npm:@tensorflow/tfjs@4.22.0";

export type {
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  GradSaveFunc,
  KernelBackend,
  KernelConfig,
  KernelFunc,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  Variable,
} from "npm:@tensorflow/tfjs@4.22.0";
/** What a convolution is computed from. */
export type Conv2DInfo = TensorFlow.backend_util.Conv2DInfo;
/** Rows and columns beside an image. */
export type ExplicitPadding = TensorFlow.backend_util.ExplicitPadding;

export let add: typeof TensorFlow.add;
export let argMax: typeof TensorFlow.argMax;
export let backend: typeof TensorFlow.backend;
export let backend_util: typeof TensorFlow.backend_util;
export let cast: typeof TensorFlow.cast;
export let clipByValue: typeof TensorFlow.clipByValue;
export let concat: typeof TensorFlow.concat;
export let conv2d: typeof TensorFlow.conv2d;
export let customGrad: typeof TensorFlow.customGrad;
export let dispose: typeof TensorFlow.dispose;
export let div: typeof TensorFlow.div;
export let equal: typeof TensorFlow.equal;
export let expandDims: typeof TensorFlow.expandDims;
export let fused: typeof TensorFlow.fused;
export let getBackend: typeof TensorFlow.getBackend = () => "";
export let getKernel: typeof TensorFlow.getKernel;
export let image: typeof TensorFlow.image;
export let keep: typeof TensorFlow.keep;
export let matMul: typeof TensorFlow.matMul;
export let max: typeof TensorFlow.max;
export let maxPool: typeof TensorFlow.maxPool;
export let mean: typeof TensorFlow.mean;
export let mul: typeof TensorFlow.mul;
export let pow: typeof TensorFlow.pow;
export let range: typeof TensorFlow.range;
export let registerBackend: typeof TensorFlow.registerBackend;
export let registerKernel: typeof TensorFlow.registerKernel;
export let relu: typeof TensorFlow.relu;
export let removeBackend: typeof TensorFlow.removeBackend;
export let reshape: typeof TensorFlow.reshape;
export let setBackend: typeof TensorFlow.setBackend;
export let slice: typeof TensorFlow.slice;
export let softplus: typeof TensorFlow.softplus;
export let sqrt: typeof TensorFlow.sqrt;
export let square: typeof TensorFlow.square;
export let squeeze: typeof TensorFlow.squeeze;
export let stack: typeof TensorFlow.stack;
export let sub: typeof TensorFlow.sub;
export let sum: typeof TensorFlow.sum;
export let tensor: typeof TensorFlow.tensor;
export let tensor1d: typeof TensorFlow.tensor1d;
export let tensor2d: typeof TensorFlow.tensor2d;
export let tensor3d: typeof TensorFlow.tensor3d;
export let tidy: typeof TensorFlow.tidy;
export let transpose: typeof TensorFlow.transpose;
export let unregisterKernel: typeof TensorFlow.unregisterKernel;
export let unstack: typeof TensorFlow.unstack;
export let variable: typeof TensorFlow.variable;
export let variableGrads: typeof TensorFlow.variableGrads;
export let zerosLike: typeof TensorFlow.zerosLike;

/** Its modules, loaded; the first function that is taken from here runs them. */
let library: typeof TensorFlow | undefined;
let runs = false;
let whenItRuns: () => void = () => {};

/** Loads TensorFlow.js. If the script has it already, the functions of this file exist then. */
export async function loadTensorFlow(): Promise<void> {
  library ??= await import.defer("npm:@tensorflow/tfjs@4.22.0");
  if (isTensorFlowInUse()) runTensorFlow();
}

/** Whether TensorFlow.js runs in this process, which the script may have imported too. */
export function isTensorFlowInUse(): boolean {
  // Where all copies of it find their one engine.
  return "_tfengine" in globalThis;
}

/**
 * What is done as soon as TensorFlow.js runs, such as making a backend the current one. It takes the place
 * of what was to be done before.
 */
export function onceTensorFlowRuns(start: () => void): void {
  whenItRuns = start;
}

/** Runs TensorFlow.js, which has been loaded; once that is done, the functions of this file exist. */
export function runTensorFlow(): void {
  if (runs) return;
  ({
    add,
    argMax,
    backend,
    backend_util,
    cast,
    clipByValue,
    concat,
    conv2d,
    customGrad,
    dispose,
    div,
    equal,
    expandDims,
    fused,
    getBackend,
    getKernel,
    image,
    keep,
    matMul,
    max,
    maxPool,
    mean,
    mul,
    pow,
    range,
    registerBackend,
    registerKernel,
    relu,
    removeBackend,
    reshape,
    setBackend,
    slice,
    softplus,
    sqrt,
    square,
    squeeze,
    stack,
    sub,
    sum,
    tensor,
    tensor1d,
    tensor2d,
    tensor3d,
    tidy,
    transpose,
    unregisterKernel,
    unstack,
    variable,
    variableGrads,
    zerosLike,
  } = library!);
  runs = true;
  whenItRuns();
}

/** Loads the WebGPU backend and registers its kernels; it does not touch a GPU. */
export function loadWebGPU() {
  return import("npm:@tensorflow/tfjs-backend-webgpu@4.22.0");
}

/** Loads the WebAssembly backend; what is taken of it first registers its kernels. */
export function loadWasm() {
  return import.defer("npm:@tensorflow/tfjs-backend-wasm@4.22.0");
}
