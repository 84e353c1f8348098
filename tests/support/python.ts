/**
 * Python, for the tests that compare with PyTorch and others where they are installed.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/**
 * A Python that has these packages: the one that the variable MRNET_PYTHON names, or one of the
 * usual ones; `undefined` where none has them.
 */
export function findPython(...packages: string[]): string | undefined {
  const named = Deno.env.get("MRNET_PYTHON");
  const code = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
  return [...named === undefined ? [] : [named], "python3", "/usr/bin/python3"].find((python) => {
    try {
      return new Deno.Command(python, { args: ["-c", code, ...packages] }).outputSync().success;
    } catch {
      return false;
    }
  });
}

/** Runs code, or the script at a URL, with arguments; answers with what it printed. */
export type RunPython = (program: string | URL, ...args: string[]) => Promise<string>;

/** Packages whose absence must fail instead of skip. */
const DEMANDED = (Deno.env.get("MRNET_REQUIRE_PYTHON") ?? "").split(",");

/** Declares a test that needs Python with some packages, and is skipped with a reason without. */
export function testWithPython(
  name: string,
  packages: string[],
  body: (run: RunPython) => Promise<void>,
): void {
  const python = findPython(...packages);
  if (python === undefined) {
    const reason = `skipped: no Python with ${packages.join(", ")}; name one in MRNET_PYTHON`;
    const ignore = !packages.some((each) => DEMANDED.includes(each));
    Deno.test({ name: `${name} (${reason})`, ignore, fn: () => assert.fail(reason) });
    return;
  }
  Deno.test({
    name,
    // An engine that a body starts outlives it on purpose.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      body(async (program, ...args) => {
        const what = typeof program === "string" ? ["-c", program] : [fileURLToPath(program)];
        // The scripts' folder is the project's: no byte code is left in it.
        const command = new Deno.Command(python, { args: ["-B", ...what, ...args] });
        const { success, stdout, stderr } = await command.output();
        assert.ok(success, new TextDecoder().decode(stderr));
        return new TextDecoder().decode(stdout).trim();
      }),
  });
}
