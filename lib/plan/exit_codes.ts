/** The exit codes of `cli.ts unit`, which schedulers and queues act on; 0 is that of a unit that is done. */

/** The unit failed, and would fail again. */
export const FAILED = 1;

/** The arguments are wrong. */
export const WRONG_ARGUMENTS = 2;

/**
 * The unit is not done: its state is saved, or another process is doing it. It is EX_TEMPFAIL of
 * `sysexits.h`, by which schedulers tell "come again" from a failure.
 */
export const COME_AGAIN = 75;

/** A TERM ended the process before it could listen to it, as a shell counts it. */
export const TERMINATED = 143;
