/**
 * The transfer syntaxes of DICOM that are read: how the pixels of a file are stored.
 *
 * Source: DICOM PS3.6, annex A, registry of unique identifiers.
 */

/** How the bytes of a frame are coded. */
export type PixelCoding = "native" | "rle" | "jpeg" | "jpeg-lossless" | "jpeg-ls" | "jpeg-2000";

/** What is known of a transfer syntax. */
export interface TransferSyntax {
  /** What people call it. */
  readonly name: string;
  /** How the bytes of a frame are coded. */
  readonly coding: PixelCoding;
  /** True if values are stored most significant byte first. */
  readonly bigEndian?: true;
  /** True if what is decoded may differ from what was stored. */
  readonly lossy?: true;
}

/** Those that are read, by their unique identifiers. */
export const TRANSFER_SYNTAXES: ReadonlyMap<string, TransferSyntax> = new Map<
  string,
  TransferSyntax
>([
  ["1.2.840.10008.1.2", { name: "implicit little endian", coding: "native" }],
  ["1.2.840.10008.1.2.1", { name: "explicit little endian", coding: "native" }],
  ["1.2.840.10008.1.2.1.99", { name: "deflated little endian", coding: "native" }],
  ["1.2.840.10008.1.2.2", { name: "explicit big endian", coding: "native", bigEndian: true }],
  ["1.2.840.10008.1.2.5", { name: "RLE", coding: "rle" }],
  ["1.2.840.10008.1.2.4.50", { name: "JPEG baseline", coding: "jpeg", lossy: true }],
  ["1.2.840.10008.1.2.4.51", { name: "JPEG extended", coding: "jpeg", lossy: true }],
  ["1.2.840.10008.1.2.4.57", { name: "JPEG lossless", coding: "jpeg-lossless" }],
  ["1.2.840.10008.1.2.4.70", {
    name: "JPEG lossless, first-order prediction",
    coding: "jpeg-lossless",
  }],
  ["1.2.840.10008.1.2.4.80", { name: "JPEG-LS lossless", coding: "jpeg-ls" }],
  ["1.2.840.10008.1.2.4.81", { name: "JPEG-LS near-lossless", coding: "jpeg-ls", lossy: true }],
  ["1.2.840.10008.1.2.4.90", { name: "JPEG 2000 lossless", coding: "jpeg-2000" }],
  ["1.2.840.10008.1.2.4.91", { name: "JPEG 2000", coding: "jpeg-2000", lossy: true }],
  ["1.2.840.10008.1.2.4.201", { name: "HTJ2K lossless", coding: "jpeg-2000" }],
  ["1.2.840.10008.1.2.4.202", { name: "HTJ2K lossless, RPCL", coding: "jpeg-2000" }],
  ["1.2.840.10008.1.2.4.203", { name: "HTJ2K", coding: "jpeg-2000", lossy: true }],
]);
