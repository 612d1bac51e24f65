/**
 * Sends a program a signal at an exact moment: before or after the n-th call by which it writes or
 * removes a file below a folder. Loaded into the real program (`signalAtWrite`), which knows nothing
 * of it; without its settings this does nothing. A moment by the clock lands where the machine's
 * load puts it, so that what is rare is hit by luck; a moment by count lands where it is asked to.
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { resolve } from "node:path";
import { isMainThread } from "node:worker_threads";

const VARIABLE = "COMEBACK_TEST_SIGNAL_AT_WRITE";

export interface SignalAtWrite {
  /** Only what is written or removed below counts. */
  readonly below: string;
  /** SIGSTOP stops it right there, for as long as the test likes. */
  readonly signal: "SIGKILL" | "SIGINT" | "SIGSTOP";
  /** Counted from 1, two for each call; 0 for none. */
  readonly moment: number;
  /** Where the number of moments is written at the end of a run that none of this ended. */
  readonly countFile?: string;
}

/** The environment in which a program is sent the signal. */
export function signalAtWrite(wish: SignalAtWrite): Record<string, string> {
  return {
    [VARIABLE]: JSON.stringify(wish),
    NODE_OPTIONS: `--import=${import.meta.filename}`,
  };
}

type Call = (...values: unknown[]) => Promise<unknown>;

function install({ below, signal, moment, countFile }: SignalAtWrite): void {
  let moments = 0;
  const pass = async (): Promise<void> => {
    if (++moments !== moment) return;
    const heard = signal === "SIGINT" ? once(process, signal) : Promise.resolve();
    process.kill(process.pid, signal);
    // A handled signal keeps no process alive by itself.
    const alive = setInterval(() => {}, 1000);
    await heard;
    clearInterval(alive);
  };
  const watched =
    (call: Call): Call =>
    async (...values) => {
      await pass();
      const result = await call(...values);
      await pass();
      return result;
    };
  const isBelow = (path: unknown): boolean => resolve(String(path)).startsWith(below);
  const calls = promises as unknown as Record<string, Call>;
  for (const name of ["link", "rename", "unlink"]) {
    const call = calls[name]!;
    const counted = watched(call);
    calls[name] = (...values) => (values.some(isBelow) ? counted : call)(...values);
  }
  const open = calls["open"]!;
  const counted = watched(open);
  calls["open"] = async (path, flags, ...more) => {
    if (!isBelow(path) || typeof flags !== "string" || flags === "r")
      return open(path, flags, ...more);
    const handle = (await counted(path, flags, ...more)) as Record<string, Call>;
    for (const name of ["write", "writeFile", "sync"]) {
      handle[name] = watched(handle[name]!.bind(handle));
    }
    return handle;
  };
  syncBuiltinESMExports();
  if (countFile !== undefined) process.on("exit", () => writeFileSync(countFile, `${moments}`));
}

const given = process.env[VARIABLE];
// Threads inherit the option, but only the main one writes.
if (given !== undefined && isMainThread) install(JSON.parse(given) as SignalAtWrite);
