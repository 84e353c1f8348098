/** Which addresses are the own machine's, and by which names it is asked then. */

/** Names of the own machine, which no other reaches, as they stand in a `Host` header. */
const NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** Whether no other machine reaches an address: all of 127.0.0.0/8, ::1, and the name that is theirs. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.toLowerCase() === "localhost" ||
    /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address);
}

/**
 * The hosts that a service of the own machine answers.
 *
 * @param given where it was told to listen, a name or an address, which may be written in several ways
 * @param address the address that this came to
 */
export function loopbackHosts(given: string, address: string): string[] {
  const [host, at] = [given, address].map((name) => name.includes(":") ? `[${name}]` : name);
  // Browsers write 127.1 as 127.0.0.1; other programs as it is.
  const written = URL.parse(`http://${host}`)?.hostname ?? host;
  return [...new Set([...NAMES, host.toLowerCase(), written, at])];
}
