/**
 * Writes weights as a file of PyTorch: a plain state dict in the zip form, which `torch.load`
 * accepts with `weights_only=True`.
 */
import { elementCount, type StateDict } from "../tensors.ts";
import { encodeZip } from "../../../zip.ts";

/**
 * The bytes of a `.pth` file, as chunks in order: an `OrderedDict` of float32 tensors on the CPU.
 * Equal tensors give equal bytes.
 *
 * @param tensors float32 tensors; they keep their order
 * @throws {RangeError} if a tensor's shape does not fit its values, or beyond 4 GiB
 */
export function encodePytorch(tensors: StateDict): Uint8Array[] {
  const files = new Map<string, Uint8Array>();
  // PyTorch looks for the pickle first and takes the folder's name from it.
  files.set("archive/data.pkl", pickleStateDict(tensors));
  files.set("archive/byteorder", new TextEncoder().encode("little"));
  let key = 0;
  for (const { data } of tensors.values()) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    files.set(`archive/data/${key++}`, bytes);
  }
  files.set("archive/version", new TextEncoder().encode("3\n"));
  return encodeZip(files);
}

/** The pickle that builds the state dict, in protocol 2, which every version of PyTorch reads. */
function pickleStateDict(tensors: StateDict): Uint8Array {
  const out = new PickleWriter();
  out.codes(0x80, 2);
  out.emptyOrderedDict();
  out.codes(0x28); // MARK
  let key = 0;
  for (const [name, { shape, data }] of tensors) {
    if (elementCount(shape) !== data.length) {
      throw new RangeError(`'${name}' has ${data.length} values and the shape [${shape}]`);
    }
    out.text(name);
    out.global("torch._utils", "_rebuild_tensor_v2");
    out.codes(0x28);
    // The storage as ("storage", class, key, device, elements), then BINPERSID.
    out.codes(0x28);
    out.text("storage");
    out.global("torch", "FloatStorage");
    out.text(String(key++));
    out.text("cpu");
    out.integer(data.length);
    out.codes(0x74, 0x51);
    out.integer(0);
    out.tuple(shape);
    out.tuple(stridesOf(shape));
    out.codes(0x89); // needs no gradient
    out.emptyOrderedDict(); // no backward hooks
    out.codes(0x74, 0x52); // TUPLE, REDUCE
  }
  out.codes(0x75, 0x2e); // SETITEMS, STOP
  return out.bytes();
}

/** Elements from one to the next along each axis, row-major. */
function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of shape.toReversed()) {
    strides.unshift(step);
    step *= Math.max(size, 1);
  }
  return strides;
}

/** Collects the operations of a pickle. */
class PickleWriter {
  private readonly out: number[] = [];

  codes(...codes: number[]): void {
    this.out.push(...codes);
  }

  /** A whole number below 2^31. */
  integer(value: number): void {
    if (value > 0x7fffffff) throw new RangeError(`${value} is too large for a size in this file`);
    this.codes(0x4a);
    this._word(value);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.codes(0x58);
    this._word(bytes.length);
    for (const byte of bytes) this.out.push(byte);
  }

  tuple(values: readonly number[]): void {
    this.codes(0x28);
    for (const value of values) this.integer(value);
    this.codes(0x74);
  }

  global(module: string, name: string): void {
    this.codes(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  emptyOrderedDict(): void {
    this.global("collections", "OrderedDict");
    this.codes(0x29, 0x52); // EMPTY_TUPLE, REDUCE
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.out);
  }

  private _word(value: number): void {
    this.codes(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24 & 0xff);
  }
}
