/**
 * Commands that are printed can be typed as they stand, however Deno came.
 */
import assert from "node:assert/strict";
import { commandLine, denoProgram } from "../lib/invocation.ts";

Deno.test("Deno is named the way it was started", () => {
  const cases: [path: string, program: string][] = [
    ["/usr/bin/deno", "deno"],
    ["/home/me/.deno/bin/deno", "deno"],
    ["/root/.npm/_npx/7a40be787520bede/node_modules/deno/deno", "npx -y deno@2.9.6"],
    [
      "C:\\Users\\me\\AppData\\Local\\npm-cache\\_npx\\7a40\\node_modules\\deno\\deno.exe",
      "npx -y deno@2.9.6",
    ],
    ["/home/me/project/node_modules/@deno/linux-x64-glibc/deno", "npx deno"],
  ];
  for (const [path, program] of cases) assert.equal(denoProgram(path, "2.9.6"), program);
});

Deno.test("arguments that a shell would take apart are quoted", async () => {
  const args = ["synth", "--out", "my data", "it's", "$HOME", "a;b", "data/nine", "--x=1,2"];
  const command = commandLine(...args);
  assert.ok(command.endsWith("--x=1,2") && command.includes(" data/nine "), command);
  if (Deno.build.os === "windows") return;
  const words = command.slice(command.indexOf("synth"));
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `printf '%s\\n' ${words}`],
  }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n"), args);
});

Deno.test("no message of the library has a command of its own making", async () => {
  const found: string[] = [];
  const visit = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await visit(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts") && name !== "invocation.ts") {
        const url = new URL(name, folder);
        const code = (await Deno.readTextFile(url)).replace(/^\s*(\*|\/\/).*$/gm, "");
        if (/deno (run|task) /.test(code)) found.push(url.pathname);
      }
    }
  };
  await visit(new URL("../lib/", import.meta.url));
  assert.deepEqual(found, []);
});
