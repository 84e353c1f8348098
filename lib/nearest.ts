/** The nearest name to one that does not exist. */

/**
 * The name that somebody may have meant.
 *
 * @returns `undefined` if none is near
 */
export function nearest(name: string, names: readonly string[]): string | undefined {
  // Two mistakes, in short names one: with more of them everything is near.
  const most = name.replace(/^-+/, "").length < 5 ? 1 : 2;
  const near = names.map((each) => ({ each, distance: _distance(name, each) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.each;
}

/**
 * How many letters are left out, put in, wrong, or changed places with their neighbour (F. Damerau,
 * Communications of the ACM 7, 1964, doi:10.1145/363958.363994).
 */
function _distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2][j - 2] + 1);
      }
      rows[i].push(least);
    }
  }
  return rows[a.length][b.length];
}
