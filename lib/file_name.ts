/**
 * What may be the name of a file or a folder: every name that comes from outside and becomes part of a
 * path passes here.
 */

/** The longest name that the usual file systems have, in bytes. */
const MAX_BYTES = 255;

/** What Windows takes for a device, in any folder and with any ending. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Whether a text is the name of one file or folder, on every system that Deno runs on: it leads
 * neither up nor down nor to a device, and is the name that a listing shows.
 */
export function isFileName(name: string): boolean {
  const bytes = new TextEncoder().encode(name).length;
  // Windows drops dots and blanks at the end, so that what is written is called something else.
  return bytes >= 1 && bytes <= MAX_BYTES && !/[\\/\p{Cc}]|[. ]$/u.test(name) && !DEVICE.test(name);
}
