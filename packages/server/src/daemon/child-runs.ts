import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { COMMAND_LINE_MAX_CHARS, ComebackError, ExitCode, type RunOutcome } from "@comeback/core";
import type { StartedRun, StartRequest } from "../scheduler/scheduler.ts";

export interface ChildRunsOptions {
  /** The program and its first arguments: what `comeback` stands for, and the configuration. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line that a run says on its standard error. */
  onLine(request: StartRequest, line: string): void;
}

/** Of `comeback run`; 75 is what a hook says so with as well (sysexits.h: EX_TEMPFAIL). */
const OUTCOMES: ReadonlyMap<number | null, RunOutcome> = new Map([
  [ExitCode.sourceIncomplete, "warning"],
  [75, "skipped"],
]);

type RunEnd = Awaited<StartedRun["ended"]>;

/**
 * Runs that are processes of their own: whatever one does, the daemon stays as it was, and the
 * memory it took is given back when it ends.
 */
export class ChildRuns {
  readonly #options: ChildRunsOptions;
  readonly #children: Set<ChildProcess> = new Set();

  constructor(options: ChildRunsOptions) {
    this.#options = options;
  }

  /** Resolves once the process is there. Rejects with `command.missing` where it cannot be made. */
  async start(request: StartRequest): Promise<StartedRun> {
    const [program, ...first] = this.#options.command;
    const child = spawn(program, [...first, ...runArguments(request)], {
      env: this.#options.env,
      // What it has to say in numbers is in the catalog.
      stdio: ["ignore", "ignore", "pipe"],
      // Ctrl-C at a daemon in a terminal is for the daemon, which decides what becomes of runs.
      detached: true,
    });
    const ended = endOf(child);
    await spawned(child, program);
    this.#children.add(child);
    let lastLine = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      lastLine = line.slice(0, COMMAND_LINE_MAX_CHARS);
      this.#options.onLine(request, lastLine);
    });
    return {
      ended: ended.then(([exitCode, endedBy]): RunEnd => {
        this.#children.delete(child);
        return runEnd(exitCode, endedBy, lastLine);
      }),
    };
  }

  /** SIGTERM: each brings back what it has put to rest, and ends. SIGKILL: it is ended, all of it. */
  signalAll(name: "SIGTERM" | "SIGKILL"): void {
    for (const { pid } of this.#children) {
      if (pid === undefined) continue;
      try {
        // What a run started ends with it, but to be asked is for the run alone: it knows the order.
        process.kill(name === "SIGKILL" ? -pid : pid, name);
      } catch {
        // It has gone by itself.
      }
    }
  }
}

/** What comes behind `comeback`. */
export function runArguments({ plan, job, type, trigger, scheduledForMs }: StartRequest): string[] {
  return [
    "run",
    plan,
    "--trigger",
    trigger,
    "--scheduled-for",
    String(scheduledForMs),
    ...(type === undefined ? [] : ["--type", type]),
    ...(job.kind === "copy" ? ["--copies", job.to] : []),
    "--json",
  ];
}

/** By its exit code; a record of its own, where it left one, says more. */
function runEnd(exitCode: number | null, endedBy: string | null, lastLine: string): RunEnd {
  if (endedBy !== null) return { outcome: "failed", message: `it was ended by ${endedBy}` };
  if (exitCode === ExitCode.done) return { outcome: "ok" };
  const outcome = OUTCOMES.get(exitCode) ?? "failed";
  return { outcome, message: `exit code ${exitCode}${lastLine === "" ? "" : `: ${lastLine}`}` };
}

function endOf(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.once("close", (code, endedBy) => resolve([code, endedBy]));
  });
}

function spawned(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(
        new ComebackError("command.missing", `the program ${program} cannot be run`, {
          next: "see that Comeback is still installed where it was when the daemon was started",
          cause,
        }),
      ),
    );
  });
}
