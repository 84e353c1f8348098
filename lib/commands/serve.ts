/** `cli.ts serve` and `cli.ts view`: the models behind a URL, and exams to look at in a browser. */
import type { EngineChoice } from "../engine/engine.ts";
import { DataError, messageOf } from "../errors.ts";
import { fileError, folderOf, join } from "../files.ts";
import { isRemote } from "../model/model_source.ts";
import { commandLine } from "../invocation.ts";
import { SERVE_LIMITS, type ServeOptions } from "../serve/options.ts";
import { normalizeOrigins } from "../serve/origins.ts";
import { Command, option, text, UsageError, wholeNumber } from "./arguments.ts";
import { print, remark } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import {
  DICOMWEB_PERMISSION,
  dicomwebOptions,
  type PacsGiven,
  pacsOptionsOf,
} from "./dicomweb_options.ts";
import { interruptible } from "./interrupt.ts";
import { backendOption } from "./model_options.ts";
import {
  CommandService,
  hostOption,
  type ServiceGiven,
  tokenFileOption,
  tokenOption,
} from "./service.ts";

/** The folder beside the models that keeps what they say of a dataset. */
const VERDICTS = "verdicts";

const PERMISSIONS =
  "\nPermissions: --allow-net=HOST:PORT --allow-read=DIR, where DIR are the folders of the models and\n" +
  "of the data, and --allow-write=DIR for that of --verdicts; both for that of --reader. -P=serve in\n" +
  "the place of -A grants 127.0.0.1:8080, data and models, and writing to models/verdicts.";

const { bodyBytes, answerBytes, slicePixels, voxels, queue, deadline } = SERVE_LIMITS;
const { images, inflatedBytes, seriesPixels } = SERVE_LIMITS;
const LIMITS =
  `\nLimits: a body of ${bodyBytes} bytes, answers on their way out of ${answerBytes} in all, slices of ${slicePixels} pixels, exams of ${voxels} voxels,\n` +
  `studies of ${images} files and frames, ${inflatedBytes} bytes inflated and ${seriesPixels} pixels a series,\n` +
  `${queue} requests waiting, ${
    deadline / 1000
  } s a request; createHandler({ limits }) takes others.`;

/** `ORIGIN,ORIGIN`. */
function origins(given: string): string[] {
  try {
    return normalizeOrigins(given.split(","));
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** `FILE,FILE`. */
function fileList(given: string): string[] {
  const files = given.split(",");
  if (files.every((file) => file !== "")) return files;
  throw new UsageError(`invalid value: '${given}' (must be files joined by commas)`);
}

/** `--models FILE,…`. */
export function modelsOption() {
  return option(
    "--models <FILE,…>",
    "models to ask: .safetensors, .pth, .pt, or what combine wrote; a path or a URL each",
    fileList,
  );
}

function portOption() {
  return option("--port <N>", "port to listen on; 0 takes a free one", wholeNumber(0, 65535))
    .default(8080);
}

function verdictsOption() {
  return option(
    "--verdicts <{DIR,none}>",
    `folder that keeps what the models say of the dataset, so that no start computes it anew ` +
      `(default: ${VERDICTS} beside the first model)`,
    text,
  );
}

function readerOption() {
  return option(
    "--reader <FILE.csv>",
    "ask a person about each exam before the models' answers and the labels are shown, and keep\n" +
      "what was answered in this file (default: nobody is asked)",
    text,
  );
}

/** `cli.ts serve`. */
export function serveCommand() {
  const [dicomwebOption, credentialsOption] = dicomwebOptions();
  return new Command("serve")
    .description(
      "Serve models by HTTP: POST /v1/predict takes .npy files and studies from a scanner (DICOM,\n" +
        "NIfTI, zip archives), and the viewer is at /. Only this machine is answered unless --host\n" +
        "says otherwise.",
    )
    .addOption(option("--data <DIR>", "dataset to show in the viewer (default: none)", text))
    .addOption(modelsOption())
    .addOption(verdictsOption())
    .addOption(readerOption())
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(tokenOption())
    .addOption(tokenFileOption())
    .addOption(
      option(
        "--allow_origin <ORIGIN,…>",
        "pages that may ask /v1/ from a browser, by origin: https://HOST:PORT (default: none)",
        origins,
      ),
    )
    .addOption(dicomwebOption)
    .addOption(credentialsOption)
    .addOption(backendOption())
    .addHelpText("after", `${(LIMITS + PERMISSIONS).replace(/\.$/, ";")}\n${DICOMWEB_PERMISSION}`)
    .action(_serve);
}

/** `cli.ts view`. */
export function viewCommand() {
  return new Command("view")
    .description(
      "Look at a dataset in a browser: three planes side by side, and with --models where the\n" +
        "networks looked. Exams and studies from a scanner (DICOM, NIfTI, zip archives) can be\n" +
        "dropped on the page.",
    )
    .addOption(option("--data <DIR>", "folder of the dataset", text).default("data"))
    .addOption(modelsOption())
    .addOption(verdictsOption())
    .addOption(readerOption())
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(tokenOption())
    .addOption(tokenFileOption())
    .addOption(backendOption())
    .addHelpText("after", LIMITS + PERMISSIONS)
    .action(_serve);
}

/** What both commands take. */
interface _Given extends PacsGiven, ServiceGiven {
  data?: string;
  models?: string[];
  verdicts?: string;
  reader?: string;
  allow_origin?: string[];
  backend: EngineChoice;
}

async function _serve(
  { data, models = [], backend, allow_origin, ...given }: _Given,
): Promise<void> {
  await checkModelFiles(models);
  if (data !== undefined) await _checkFolder(data);
  if (given.dicomweb === undefined && given.dicomweb_credentials !== undefined) {
    throw new UsageError(
      "argument --dicomweb_credentials: not allowed without argument --dicomweb",
    );
  }
  const { dicomweb } = given;
  const pacs = dicomweb === undefined ? undefined : await pacsOptionsOf(dicomweb, given);
  const options: ServeOptions = {
    models,
    engine: backend,
    viewer: {
      data,
      verdicts: _verdictsFolder(given.verdicts, models),
      reader: given.reader,
    },
    origins: allow_origin,
    pacs,
  };
  const service = await CommandService.prepare(given, options);
  using interrupt = interruptible(() => remark("Stopping after the requests under way."));
  service.listen(print);
  if (data !== undefined && models.length > 0 && models.every(isRemote) && !given.verdicts) {
    remark(
      "What the models say of the list is computed anew at each start: --verdicts DIR keeps it.",
    );
  }
  remark("Not for diagnosis. Ctrl-C stops it.");
  await new Promise<void>((resolve) => interrupt.signal.addEventListener("abort", () => resolve()));
  await service.stop();
}

/** Where the models' answers are kept; a model behind a URL has no folder to keep them beside. */
function _verdictsFolder(given: string | undefined, models: readonly string[]): string | undefined {
  if (given !== undefined) return given === "none" ? undefined : given;
  const own = models.find((model) => !isRemote(model));
  return own === undefined ? undefined : join(folderOf(own), VERDICTS);
}

async function _checkFolder(data: string): Promise<void> {
  const hint = `name its folder, or make one: ${commandLine("synth", "--out", data)}`;
  const info = await Deno.stat(data).catch((error) => {
    const what = "open the dataset in";
    throw fileError(error, { what, path: data, access: "read", error: DataError, hint });
  });
  if (!info.isDirectory) {
    throw new DataError(`Cannot open the dataset in '${data}': it is a file: ${hint}`);
  }
}
