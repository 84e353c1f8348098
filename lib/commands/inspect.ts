/** `cli.ts inspect PATH…`: what is in a folder from a scanner. */
import { inspectPaths, type SeriesFacts } from "../imaging/mod.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { Command } from "./arguments.ts";
import { endProgress, endWithReader, print, remark, showProgress } from "./console.ts";

/** The command; `exit` is told the exit code. */
export function inspectCommand(exit: (code: number) => void) {
  return new Command("inspect")
    .description(
      "List the MR series in DICOM and NIfTI files, folders and zip archives, whatever their names and " +
        "depth: plane, slices, times, what is odd about them. An echo is a series of its own. " +
        "Nothing is written.",
    )
    .argument("<PATH...>", "files, folders, zip archives")
    .option("--json", "an object a series, and nothing else on standard output")
    .addHelpText("after", "\nPermissions: --allow-read=PATH")
    .action(async (paths, { json = false }) => {
      using _reader = endWithReader();
      const timer = new PhaseTimer();
      const { series, skipped, others } = await inspectPaths(paths, {
        onFile({ phase, done, total }) {
          showProgress({ label: phase, done, total, unit: "files", ...timer.at(phase, done) });
        },
      }).finally(endProgress);
      for (const each of series) {
        if (json) print(JSON.stringify(each));
        else for (const line of seriesLines(each)) print(line);
      }
      for (const { reason } of skipped) remark(reason);
      if (others > 0) remark(`${others} file${others === 1 ? " holds" : "s hold"} no images`);
      if (series.length > 0) return;
      remark("There is no MR series that can be read.");
      exit(1);
    });
}

/** A series as lines for a terminal: what it is, how it is stored, what is odd. */
export function seriesLines(series: SeriesFacts & { sha256?: string }): string[] {
  const { plane, tilt, slices, rows, columns, spacing, sliceDistance, side, syntax } = series;
  const { description, part, echoTime, repetitionTime, sequence, sha256, remarks } = series;
  const name = [description || "without a description", part].filter((word) => word !== "").join(
    ", ",
  );
  const facts = [
    plane === undefined ? "plane unknown" : `${plane}, tilted ${tilt.toFixed(1)}°`,
    `${slices} slices of ${rows}×${columns}`,
    spacing === undefined ? "" : `pixels ${spacing.map(_millimetres).join("×")} mm`,
    sliceDistance === undefined ? "" : `${_millimetres(sliceDistance)} mm apart`,
    side === "" ? "" : `side ${side}`,
    sequence,
    echoTime === undefined ? "" : `TE ${echoTime} ms`,
    repetitionTime === undefined ? "" : `TR ${repetitionTime} ms`,
    syntax,
  ].filter((fact) => fact !== "");
  return [
    name,
    `  ${facts.join("; ")}`,
    `  series ${series.series}${sha256 === undefined ? "" : `, pixels ${sha256.slice(0, 16)}`}`,
    ...remarks.map((each) => `  ! ${each}`),
  ];
}

function _millimetres(value: number): string {
  return String(Number(value.toFixed(3)));
}
