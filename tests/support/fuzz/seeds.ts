/** What the readers share: texts as bytes, files of the fixtures, and a check of what is answered. */
import type { Seed } from "./case.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);

/** Makes bytes of text. */
export const encoder = new TextEncoder();

/** The files of a folder of fixtures, by name. */
export function fixtures(folder: string, wanted: RegExp): Seed[] {
  const url = new URL(`${folder}/`, FIXTURES);
  const names = [...Deno.readDirSync(url)].map(({ name }) => name).filter((name) =>
    wanted.test(name)
  );
  return names.sort().map((name) => ({ name, bytes: Deno.readFileSync(new URL(name, url)) }));
}

/** A file of each of these: a text, or what the toolkit writes of it. */
export function written<T>(
  name: string,
  values: readonly T[],
  format: (value: T) => string = String,
): Seed[] {
  return values.map((each, index) => ({
    name: `${name} ${index}`,
    bytes: encoder.encode(format(each)),
  }));
}

/** Fails where a reader answered what it never may. */
export function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`answered wrongly: ${what}`);
}
