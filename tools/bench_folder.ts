/**
 * Puts all that the WebGPU bench needs into a folder, for a machine with a GPU and no network.
 *
 * ```sh
 * deno run -A tools/bench_folder.ts bench_folder   # here; then carry the folder over
 * ./bench_folder/run.sh 24 5 --peak 67             # there: the bench's own arguments
 * ```
 *
 * In it are this runtime, the code, the packages and, where this machine has it, the Vulkan loader.
 * What it cannot hold is the GPU's driver. See `docs/performance_webgpu.md`.
 */
import { messageOf } from "../lib/errors.ts";

/** What starts the bench there: a shell script, because nothing else is sure to be there. */
const RUN = `#!/bin/sh
# Runs the WebGPU bench from this folder, without a network.
set -eu
cd "$(dirname "$0")"
export DENO_DIR="$PWD/cache" DENO_NO_UPDATE_CHECK=1
# OpenGL is no substitute: rather no adapter than that one without a word.
export DENO_WEBGPU_BACKEND="\${DENO_WEBGPU_BACKEND:-vulkan}"
has() { { ldconfig -p || /sbin/ldconfig -p; } 2> /dev/null | grep -q "$1"; }
if ! has libvulkan.so.1; then
  export LD_LIBRARY_PATH="$PWD/vulkan\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# Containers often have NVIDIA's driver and not the file that tells the loader of it.
if [ -z "\${VK_DRIVER_FILES:-}" ] && has libGLX_nvidia.so.0 &&
  ! ls /etc/vulkan/icd.d/nvidia* /usr/share/vulkan/icd.d/nvidia* > /dev/null 2>&1; then
  export VK_DRIVER_FILES="$PWD/vulkan/nvidia_icd.json"
fi
exec ./deno run -A --cached-only bench/webgpu.ts "$@"
`;

/** NVIDIA's driver as the Vulkan loader wants to be told of it. */
const NVIDIA = {
  file_format_version: "1.0.0",
  ICD: { library_path: "libGLX_nvidia.so.0", api_version: "1.3.0" },
};

const LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib64/libvulkan.so.1"];

const [folder, ...more] = Deno.args;
if (folder === undefined || more.length > 0) {
  print("usage: deno run -A tools/bench_folder.ts FOLDER");
  Deno.exit(2);
}
try {
  await fill(folder);
} catch (error) {
  print(`Cannot make the bench's folder '${folder}': ${messageOf(error)}`);
  Deno.exit(1);
}

async function fill(folder: string): Promise<void> {
  const root = new URL("..", import.meta.url).pathname;
  // The folder is made anew: an earlier one may be older than the code.
  await Deno.mkdir(folder);
  await copyFolder(`${root}bench`, `${folder}/bench`);
  await copyFolder(`${root}lib`, `${folder}/lib`);
  for (const name of ["deno.json", "deno.lock"]) {
    await Deno.copyFile(root + name, `${folder}/${name}`);
  }
  await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
  await Deno.chmod(`${folder}/deno`, 0o755);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "bench/webgpu.ts", "bench/webgpu_stock.ts"],
    cwd: folder,
    env: { DENO_DIR: `${await Deno.realPath(folder)}/cache` },
  }).spawn().status;
  if (!success) throw new Error("its packages cannot be fetched");
  await Deno.mkdir(`${folder}/vulkan`);
  await Deno.writeTextFile(
    `${folder}/vulkan/nvidia_icd.json`,
    JSON.stringify(NVIDIA, null, 2) + "\n",
  );
  await Deno.writeTextFile(`${folder}/run.sh`, RUN, { mode: 0o755 });
  const loader = await copyFirst(LOADERS, `${folder}/vulkan/libvulkan.so.1`);
  if (!loader) print("This machine has no libvulkan.so.1 to carry along: the other needs its own");
  print(`Carry '${folder}' over and run ./run.sh there`);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const copy = isDirectory ? copyFolder : Deno.copyFile;
    await copy(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Copies the first of some files that is there. */
async function copyFirst(files: string[], to: string): Promise<boolean> {
  for (const file of files) {
    if (await Deno.copyFile(file, to).then(() => true, () => false)) return true;
  }
  return false;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
