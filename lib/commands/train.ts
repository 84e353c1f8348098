/** `cli.ts -t TASK -p PLANE`: trains one classifier. The options are the original script's. */
import { Command } from "./arguments.ts";
import { remark } from "./console.ts";
import { type Given, givenSettings, runOptions, settingOptions } from "./setting_options.ts";
import { INTERRUPTED, report, runTraining } from "./training_display.ts";

/** What `train` and `run_all` say of the permissions that they need. */
export const TRAIN_PERMISSIONS =
  "\nPermissions: --allow-read=data,models,logs --allow-write=models,logs, and\n" +
  "--allow-net=download.pytorch.org to fetch the ImageNet weights the first time.";

/** The command; `exit` is told the exit code. */
export function trainCommand(exit: (code: number) => void) {
  const command = new Command("train")
    .description(
      "Train one classifier: one finding, one plane. This is what cli.ts does by itself.",
    );
  for (const each of settingOptions({ single: true })) command.addOption(each);
  return command
    .addHelpText("after", TRAIN_PERMISSIONS)
    .action(async (given: Given, command) => {
      const { logEvery, resume } = givenSettings(given);
      const asked = resume === undefined ? given : _withoutDefaults(given, command);
      let before: number | undefined;
      const result = await runTraining({
        ...runOptions(asked),
        onStart: ({ resumed }) => before = resumed?.epochs,
      }, logEvery!);
      if (before === result.epochs.length && result.stopped !== "interrupted") {
        remark("That run is at its end; with more --epochs or --patience it goes on.");
      }
      report(result);
      if (result.stopped === "interrupted") exit(INTERRUPTED);
    });
}

/** Only what was typed: a run that goes on has its own settings for the rest. */
function _withoutDefaults(
  given: Given,
  command: { getOptionValueSource(name: string): string | undefined },
): Given {
  const typed = Object.entries(given).filter(([name]) =>
    command.getOptionValueSource(name) !== "default"
  );
  return Object.fromEntries(typed);
}
