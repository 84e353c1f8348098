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

/** Fails where a reader answered what it never may. */
export function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`answered wrongly: ${what}`);
}
