/** Texts taken from files as they may stand in a message. */

/** A name taken from a file as it may stand in a message: quoted, on one line, not endless. */
export function quoted(name: string): string {
  return `'${shortened(name, 100)}'`;
}

/** Text taken from a file as it may stand in a message: on one line, with at most so many letters. */
export function shortened(text: string, most: number): string {
  const plain = text.slice(0, most).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\uFFFD");
  return `${plain}${text.length > most ? "…" : ""}`;
}

/** Text that should be plain ASCII as it may stand in a message: what is not becomes `?`. */
export function asciiOf(text: string, most = 40): string {
  return (text.length > most ? `${text.slice(0, most)}...` : text).replace(/[^ -~]/g, "?");
}

/** The first few of many names, and how many more there are. */
export function listed(items: readonly string[], most = 4): string {
  const first = items.slice(0, most).join(", ");
  return items.length > most ? `${first} and ${items.length - most} more` : first;
}
