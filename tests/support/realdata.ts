/**
 * Real exams, for tests: they lie beside a checkout in some workplaces, and their licences keep them
 * out of this one.
 */

/** The folder, with a slash at its end. */
export const REAL_DATA = new URL("../../../shared/realdata/", import.meta.url).pathname;

const isThere = await Deno.stat(REAL_DATA).then(() => true, () => false);

/** Declares a test that needs the real exams, and is skipped with a reason without. */
export function testWithRealData(name: string, body: () => Promise<void>): void {
  const reason = isThere ? "" : " (skipped: no real data beside this checkout)";
  Deno.test({ name: `${name}${reason}`, ignore: !isThere, fn: body });
}
