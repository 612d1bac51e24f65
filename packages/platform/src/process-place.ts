import { readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";

/** Where a process number means something: one boot of one kernel, and in it one pid namespace. */
export interface ProcessPlace {
  /** Random at every boot, and the same in all containers of a machine. */
  readonly bootId: string;
  /** Such as `pid:[4026531836]`; unique among those that exist. */
  readonly pidNamespace: string;
}

let place: ProcessPlace | undefined;

/** Where this process runs; `undefined` where the system does not tell (no `/proc`, or another's). */
export function ownProcessPlace(): ProcessPlace | undefined {
  try {
    // A container may show the /proc of the machine around it, in which the numbers are others.
    if (readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    place ??= {
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
      pidNamespace: readlinkSync("/proc/self/ns/pid"),
    };
    return place;
  } catch {
    return undefined;
  }
}

/**
 * Whether no process of this pid namespace has that number any more. One that has ended and that
 * nobody has waited for (a zombie, as containers without an init gather them) counts as gone.
 */
export function isProcessGone(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process refuses the question (EPERM), and lives.
    return (error as { errno?: number }).errno === -constants.errno.ESRCH;
  }
  return isZombie(pid);
}

function isZombie(pid: number): boolean {
  if (ownProcessPlace() === undefined) return false;
  try {
    // "4711 (name, with any bytes) Z …": the state stands behind the last bracket.
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const state = text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
    return state === "Z" || state === "X";
  } catch {
    return false;
  }
}
