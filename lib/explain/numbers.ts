/** Numbers in pictures. */

/** From this size on a caption has no room for all digits: numbers are written with a power of ten. */
const MAX_PLAIN = 1e6;

/**
 * Writes numbers that are compared with one another. They have a sign, and as many decimals as give the
 * largest of them three digits. If that has more than six digits before the point, all are written with
 * its power of ten, `+1.23e28`, so that none is too long for a caption.
 *
 * @param largest the largest size among them
 */
export function signed(largest: number): (value: number) => string {
  const exponent = largest > 0 && Number.isFinite(largest) ? Math.floor(Math.log10(largest)) : 0;
  const power = largest >= MAX_PLAIN ? exponent : 0;
  const decimals = Math.min(9, Math.max(0, 2 - exponent + power));
  return (value) => {
    const digits = (Math.abs(value) / 10 ** power).toFixed(decimals);
    if (Number(digits) === 0) return digits;
    return `${value < 0 ? "−" : "+"}${digits}${power > 0 ? `e${power}` : ""}`;
  };
}
