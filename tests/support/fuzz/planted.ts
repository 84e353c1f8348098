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

/** The readers by the name of their fault. */
export function fuzzReaders(): Map<string, FuzzReader> {
  return new Map(
    Object.entries(FAULTS).map(([name, fault]) => [name, {
      name,
      seeds: [{ name: "zeros", bytes: new Uint8Array(4) }, { name: "ones", bytes: ONES }],
      refuses: DataError,
      read(file) {
        if (setsOff(file)) fault();
      },
    }]),
  );
}
