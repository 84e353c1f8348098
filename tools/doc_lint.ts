/**
 * `deno doc --lint` for all that a script can import, without what it has to say about the declarations of
 * npm packages: TensorFlow.js's tensors are part of our interface, and it wants them documented too.
 */

const { default: { exports } } = await import("../deno.json", { with: { type: "json" } });
// The command line is not imported. Together, for a type that one shows may be exported by another.
const { "./cli": _, ...modules } = exports;
const { code, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...Object.values(modules)],
  env: { NO_COLOR: "1" },
}).output();
const complaints = new TextDecoder().decode(stderr).split(/\n(?=error)/)
  .filter((block) => block.startsWith("error["));
const ours = complaints.filter((block) => !/--> .*registry\.npmjs\.org/.test(block));
// Failing for another reason than complaints must not pass for none.
const failed = ours.length > 0 || (code !== 0 && complaints.length === 0);
if (failed) {
  await Deno.stderr.write(ours.length > 0 ? new TextEncoder().encode(ours.join("\n")) : stderr);
}
Deno.exit(failed ? 1 : 0);
