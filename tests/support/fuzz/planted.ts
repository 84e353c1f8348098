/**
 * Readers with planted faults, to see that the fuzzer finds them.
 */
import process from "node:process";
import { DataError } from "../../../lib/errors.ts";
import type { FuzzReader } from "./case.ts";

const kept: Uint8Array[] = [];

const FAULTS: Record<string, () => void> = {
  greedy() {
    kept.push(new Uint8Array(100 * 1024 * 1024).fill(1));
  },
  slow() {
    const { user } = process.cpuUsage();
    while (process.cpuUsage().user - user < 1_200_000);
  },
  endless() {
    for (;;);
  },
  careless() {
    (undefined as unknown as number[]).push(1);
  },
  wrong() {
    throw new Error("answered wrongly");
  },
  crashing() {
    Deno.exit(7);
  },
  chatty() {
    throw new DataError("It says \x1b[31m");
  },
};

const ONES = new Uint8Array(4).fill(0xff);

/** True for the files that set a fault off: damaged ones that begin with the byte 0xff. */
export function setsOff(file: Uint8Array): boolean {
  return file[0] === 0xff && file.join() !== ONES.join();
}

/**
 * How large the large files of `large` are, and what reading one takes: with the file and its process that
 * is some 72 MB, between what a small file may raise the peak by and what a large one may.
 */
const LARGE = 16 * 1024 * 1024;
const TAKEN = 50 * 1024 * 1024;

/** A reader without a fault, whose large files raise the peak by more than small ones may. */
function large(): FuzzReader {
  return {
    name: "large",
    seeds: [{ name: "zeros", bytes: new Uint8Array(4) }],
    refuses: DataError,
    read(file) {
      if (file.length === LARGE) new Uint8Array(TAKEN).fill(1);
    },
    limit: LARGE,
  };
}

/** The readers by the name of their fault, and one without. */
export function fuzzReaders(): Map<string, FuzzReader> {
  return new Map<string, FuzzReader>([
    ["large", large()],
    ...Object.entries(FAULTS).map(([name, fault]): [string, FuzzReader] => [name, {
      name,
      seeds: [{ name: "zeros", bytes: new Uint8Array(4) }, { name: "ones", bytes: ONES }],
      refuses: DataError,
      read(file) {
        if (setsOff(file)) fault();
      },
    }]),
  ]);
}
