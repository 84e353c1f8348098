/**
 * What a kernel is: WGSL, and the buffers it is bound to.
 *
 * Every kernel is a function that returns a {@linkcode Kernel}. Sizes that seldom change are written
 * into its text as constants, so that loops unroll and divisions become multiplications; the number
 * of slices, which differs from exam to exam, is read from {@linkcode STEP} instead.
 */

/** A buffer that a kernel reads or writes. */
export interface Binding {
  /** The variable's name in the WGSL. */
  name: string;
  /** Its WGSL type. */
  type: string;
  access: "uniform" | "read" | "write";
  /** WGSL that declares the type, if it is a structure. */
  structure?: string;
}

/** A compute shader with one entry point, `main`. */
export interface Kernel {
  /** What it does, for messages, timings and the device's own errors. */
  label: string;
  /** Its buffers, in the order of their binding numbers. */
  bindings: readonly Binding[];
  /** Everything but the declarations of the bindings and of their types. */
  code: string;
}

/** How many workgroups along each axis. */
export type Workgroups = readonly [number, number?, number?];

/** A kernel, and how much there is to do for a number of slices. */
export interface KernelLaunch {
  kernel: Kernel;
  workgroups: (slices: number) => Workgroups;
  /** The most multiply-adds, as where every slice is selected; given if they take the time. */
  multiplyAdds?: (slices: number) => number;
}

const _BINDINGS = {
  uniform: "uniform",
  read: "read-only-storage",
  write: "storage",
} as const satisfies Record<Binding["access"], GPUBufferBindingType>;

const _VARIABLES = { uniform: "uniform", read: "storage, read", write: "storage, read_write" };

/** The whole text of a kernel; also the key under which its pipeline is kept. */
export function wgslOf({ bindings, code }: Kernel): string {
  const declarations = bindings.map(({ name, type, access }, index) =>
    `@group(0) @binding(${index}) var<${_VARIABLES[access]}> ${name}: ${type};`
  );
  const structures = new Set(bindings.flatMap(({ structure = [] }) => structure));
  return [...structures, ...declarations, code].join("\n");
}

/**
 * The layout of a kernel's bindings. It is always given. A layout that the device derives has no bindings
 * that the text does not use, and a dispatch bound to more is skipped without a message.
 */
export function layoutOf({ bindings }: Kernel): GPUBindGroupLayoutEntry[] {
  return bindings.map(({ access }, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: _BINDINGS[access] },
  }));
}

/** A buffer of four-component vectors, the usual form of images, filters and gradients. */
export function vectors(name: string, access: "read" | "write"): Binding {
  return { name, type: "array<vec4<f32>>", access };
}

/** Lines of WGSL, one for each index from 0. */
export function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join("\n");
}
