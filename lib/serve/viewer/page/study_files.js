/**
 * Files that are chosen or dropped on the page, folders with all below them, each with its path.
 */

/**
 * A file, and where it lies below what was chosen.
 *
 * @typedef {{ file: File, path: string }} GivenFile
 */

/** The files of an `<input>`; below a folder they have paths. */
export function chosenFiles(files) {
  return shown([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
}

/**
 * The files of a drop. To be called at once: what was dropped is known to its event only.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<GivenFile[]>}
 */
export async function droppedFiles(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry?.();
    if (entry) return below(entry);
    const file = item.getAsFile();
    return file === null ? [] : [{ file, path: file.name }];
  });
  return shown((await Promise.all(found)).flat());
}

/** What the files are called together: by the folder or archive that each lies in. */
export function namesOf(given) {
  return [...new Set(given.map(({ path }) => path.split("/")[0]))];
}

/** Whether files are exams by themselves, and not those of a study. */
export function areExams(given) {
  return given.every(({ path }) => /\.npy$/i.test(path));
}

/**
 * Why files are not to be sent: said before the browser begins with it.
 *
 * @param {GivenFile[]} given
 * @param {{ bodyBytes: number, images: number }} limits of the service
 * @returns {string | undefined}
 */
export function faultOf(given, { bodyBytes, images }) {
  const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
  const bytes = given.reduce((sum, { file }) => sum + file.size, 0);
  const only = "give only the series that are needed, or a zip archive of them.";
  if (given.length > images) return `These are ${given.length} files, at most ${images}: ${only}`;
  if (bytes < bodyBytes) return undefined;
  return `These files have ${megabytes(bytes)}, at most ${megabytes(bodyBytes)}: ${only}`;
}

/** Without what programs hide from people. */
function shown(given) {
  return given.filter(({ path }) => !/(^|\/)(\.|__MACOSX\/)/.test(path));
}

/** The files of an entry, or below it. */
async function below(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  }
  const reader = entry.createReader();
  const files = [];
  while (true) {
    // A reader gives some hundred at a time.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return files;
    for (const each of entries) files.push(...await below(each));
  }
}
