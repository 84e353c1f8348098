/**
 * Which plane a file's name speaks of. Plain JavaScript without imports: the commands import it, and the
 * viewer's page is served it as it stands, so that both follow one rule.
 */

const PLANES = ["sagittal", "coronal", "axial"];

/**
 * The plane that a name speaks of: by its whole word anywhere (`knee_sagittal.npy`, `Sagittal T2`), or
 * by its first three letters with no letter beside them (`12-cor.npy`).
 *
 * @param {string} name of a file or a folder, without what is above it
 * @returns {"sagittal" | "coronal" | "axial" | undefined} nothing if it speaks of none, or of several
 */
export function planeOfName(name) {
  const named = PLANES.filter((plane) =>
    new RegExp(`${plane}|(^|[^a-z])${plane.slice(0, 3)}([^a-z]|$)`, "i").test(name)
  );
  return named.length === 1 ? named[0] : undefined;
}

/**
 * What is left of a name without the word that says its plane, and without separators at its ends or
 * several in a row.
 *
 * @param {string} name of a file or a folder, without its ending
 * @returns {string} the name itself if it speaks of no plane, or of several
 */
export function withoutPlane(name) {
  const plane = planeOfName(name);
  if (plane === undefined) return name;
  return name.replace(new RegExp(`${plane}|(?<![a-z])${plane.slice(0, 3)}(?![a-z])`, "i"), "")
    .replace(/^[\s_.-]+|[\s_.-]+$/g, "").replace(/([\s_.-])[\s_.-]+/g, "$1");
}
