/**
 * Matrix products in register tiles, which `tools/tile_kernels.ts` writes and `deno task build:wasm`
 * defines. One operand is copied to constant addresses first (`fill…`) and then multiplied
 * by panels (`multiply…`): there the runtime needs no check of the address.
 *
 * In `Rows6x32` the operand is six rows of 32 floats, in `Columns16x6` sixteen columns of six. Its rows or
 * its columns begin `pitch` bytes apart.
 */

// @ts-ignore: decorator
@external("tiles", "fillRows6x32")
export declare function fillRows6x32(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows6x32")
export declare function multiplyRows6x32(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillRows5x32")
export declare function fillRows5x32(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows5x32")
export declare function multiplyRows5x32(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillRows4x32")
export declare function fillRows4x32(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows4x32")
export declare function multiplyRows4x32(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillRows6x4")
export declare function fillRows6x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows6x4")
export declare function multiplyRows6x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillRows5x4")
export declare function fillRows5x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows5x4")
export declare function multiplyRows5x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillRows4x4")
export declare function fillRows4x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyRows4x4")
export declare function multiplyRows4x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns64x6")
export declare function fillColumns64x6(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns64x6")
export declare function multiplyColumns64x6(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns16x6")
export declare function fillColumns16x6(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns16x6")
export declare function multiplyColumns16x6(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns4x6")
export declare function fillColumns4x6(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns4x6")
export declare function multiplyColumns4x6(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns1x6")
export declare function fillColumns1x6(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns1x6")
export declare function multiplyColumns1x6(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns16x4")
export declare function fillColumns16x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns16x4")
export declare function multiplyColumns16x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns4x4")
export declare function fillColumns4x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns4x4")
export declare function multiplyColumns4x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;

// @ts-ignore: decorator
@external("tiles", "fillColumns1x4")
export declare function fillColumns1x4(x: usize, pitch: usize): void;
// @ts-ignore: decorator
@external("tiles", "multiplyColumns1x4")
export declare function multiplyColumns1x4(
  panel: usize, panelBytes: usize, out: usize, pitch: usize, panels: i32, first: bool,
): void;
