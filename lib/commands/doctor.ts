/** `cli.ts doctor`: what is odd about a data set. */
import { slicesText } from "../data/tally.ts";
import { type DataReport, examineDataset, type MiddleSlice } from "../doctor/doctor.ts";
import { folderOf, makeFolder, writeWhole } from "../files.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { Command, option, text } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";

/** The command; `exit` is told the exit code. */
export function doctorCommand(exit: (code: number) => void) {
  return new Command("doctor")
    .description(
      "Say what is odd about a data set in MRNet's layout: exams without labels and the reverse, sizes " +
        "and grey values unlike MRNet's, empty slices, the same exam twice or in both splits. Every " +
        "exam is read once. Exit code 1 if something would fail or mislead a training.",
    )
    .addOption(option("--data <DIR>", "folder of the data set", text).default("data"))
    .option("--json", "print one JSON object, and nothing else on standard output")
    .addOption(
      option("--html <FILE>", "write a page with a middle slice of every exam", text),
    )
    .addHelpText("after", "\nPermissions: --allow-read=DIR, and --allow-write for --html")
    .action(async ({ data, json = false, html }) => {
      const timer = new PhaseTimer();
      const slices: MiddleSlice[] = [];
      const report = await examineDataset({
        data,
        onExam(done, total) {
          showProgress({ label: "exams", done, total, unit: "exams", ...timer.at("exams", done) });
        },
        onSlice: html === undefined ? undefined : (slice) => slices.push(slice),
      }).finally(endProgress);
      if (json) print(JSON.stringify(report));
      else for (const line of reportLines(report)) print(line);
      if (html !== undefined) {
        const { dataPage } = await import("../doctor/page.ts");
        await makeFolder(folderOf(html));
        await writeWhole(html, dataPage(data, report, slices));
        remark(`Page: ${html}`);
      }
      if (report.problems.some(({ level }) => level === "error")) exit(1);
    });
}

/** The report as lines for a terminal. */
export function reportLines({ labels, exams, problems }: DataReport): string[] {
  return [
    ...labels.map(({ split, task, exams, positive }) =>
      `${split.padEnd(5)}  ${task.padEnd(8)}  ${exams} labels, ${positive} with the finding ` +
      `(${(100 * positive / exams).toFixed(0)} %)`
    ),
    ...exams.map(({ split, plane, exams, slices, sizes, mean, deviation }) =>
      `${split.padEnd(5)}  ${plane.padEnd(8)}  ${exams} exams of ${slicesText(slices)} slices, ` +
      `${sizes.join(", ")}; grey values ${mean.toFixed(1)} ± ${deviation.toFixed(1)}`
    ),
    ...problems.map(({ level, where, found }) => `${level}: ${where}: ${found}`),
    problems.length === 0 ? "Nothing is odd." : `${problems.length} remarks.`,
  ];
}
