/**
 * `deno task attack [--minutes M]`: everything at once that a service on the open net may get, against a
 * process of its own with 256 descriptors, beside honest clients. Only on this machine.
 *
 * It fails where the process ends or takes more than 1 GiB, where fewer than 95 of 100 honest requests
 * are answered in time, or where its resident size is not back within 64 MB.
 */
import { complaints, mixedAttack, type MixedReport } from "../tests/support/mixed_attack.ts";

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const [name, value = "30", ...more] = Deno.args;
const minutes = Number(value);
if ((name ?? "--minutes") !== "--minutes" || more.length > 0 || !(minutes > 0)) {
  print("usage: deno task attack [--minutes M]");
  Deno.exit(2);
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
const show = (report: Omit<MixedReport, "after">) => {
  const { answered, honest, others, attacks, before, peak } = report;
  const count = Object.values(attacks).reduce((sum, count) => sum + count, 0);
  print(
    `${count} attacks; ${answered} of ${honest} honest requests answered in time ` +
      `(others: ${JSON.stringify(others)}); resident size ${megabytes(before)} before, ` +
      `up to ${megabytes(peak)}`,
  );
};
const report = await mixedAttack({ seconds: 60 * minutes, onProgress: show });
show(report);
print(`resident size ${megabytes(report.after)} after; attacks: ${JSON.stringify(report.attacks)}`);
const found = complaints(report);
for (const line of found) print(`FAILED: ${line}`);
Deno.exit(found.length > 0 ? 1 : 0);
