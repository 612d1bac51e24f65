import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "@comeback/testkit";
import { Client } from "./client.ts";
import { copyWithLinks } from "./linked-copy.ts";
import type { Running } from "./run-program.ts";
import { type FileKind, filesOf } from "./repository-files.ts";
import { signalAtWrite } from "./signal-at-write.ts";
import { COMEBACK } from "./tools.ts";

/** Every so many kills restic judges, too. */
const KILLS_BETWEEN_RESTICS = 5;
/** A run may have ended before its moment came: then it is not one of the kills. */
const RUNS_A_KILL_MAX = 15;
const SHARE_BY_WRITE = 0.6;
const KINDS: readonly FileKind[] = ["keys", "snapshots", "index", "data"];

/** How far a run had come, by what the repository shows: nothing was done, some of it, or all. */
export type Progress = "before" | "middle" | "after";

/** A command that is killed again and again, each time on a fresh copy of the same repository. */
export interface KillPlan {
  /** A folder with the `repository` in it, and whatever else the command changes. */
  readonly template: string;
  /** Where the copies of it are made. */
  readonly work: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly random: SeededRandom;
  readonly kills: number;
  /** What has to hold of what a killed run left behind. */
  afterKill(progress: Progress, asksRestic: boolean): Promise<void>;
  /** The same by the library, which spares the start of a program; by default the program itself. */
  readonly runAgain?: () => Promise<void>;
  /** Where true, the command is not run again: what it starts from is not there any more. */
  readonly isDone?: (progress: Progress) => boolean;
  /** What has to hold once the same command has run to its end. */
  afterNext(asksRestic: boolean): Promise<void>;
}

export interface KillCounts {
  /** Kills at moments of the writing, and at moments of the clock. */
  readonly byWrite: Record<Progress, number>;
  readonly byClock: Record<Progress, number>;
  readonly runMs: number;
  readonly moments: number;
}

/**
 * Kills a command at moments that are spread over the whole of its run. Those by count are sure to
 * hit before the first write, after the last one, and in the middle; those by the clock hit where
 * nobody has thought of, its start included.
 */
export async function killAtMoments(plan: KillPlan): Promise<KillCounts> {
  const killer = new Killer(plan);
  const { runMs, moments } = await killer.measure();
  const counts = {
    byWrite: { before: 0, middle: 0, after: 0 },
    byClock: { before: 0, middle: 0, after: 0 },
    runMs,
    moments,
  };
  const { random, kills } = plan;
  const writes = Math.ceil(kills * SHARE_BY_WRITE);
  for (let i = 0; i < kills; i++) {
    const isByWrite = i < writes;
    const progress = isByWrite
      ? await killer.killAtWrite(momentOf(i, writes, moments, random))
      : await killer.killAtTime((i - writes + random.integer(0, 999) / 1000) / (kills - writes));
    counts[isByWrite ? "byWrite" : "byClock"][progress]++;
    const asksRestic = i % KILLS_BETWEEN_RESTICS === 0;
    await plan.afterKill(progress, asksRestic);
    if (plan.isDone?.(progress) === true) continue;
    if (asksRestic || plan.runAgain === undefined) await killer.next();
    else await plan.runAgain();
    await plan.afterNext(asksRestic);
  }
  const { before, middle, after } = counts.byWrite;
  assert.ok(before > 0 && after > 0 && middle >= writes / 5, JSON.stringify(counts));
  return counts;
}

/** The very first and the very last moment, and random ones that are spread evenly between them. */
function momentOf(i: number, count: number, moments: number, random: SeededRandom): number {
  if (i === 0) return 1;
  if (i === count - 1) return moments;
  const from = 1 + Math.floor(((i - 1) * moments) / (count - 2));
  return Math.min(
    moments,
    random.integer(from, Math.max(from, Math.floor((i * moments) / (count - 2)))),
  );
}

class Killer {
  readonly #plan: KillPlan;
  readonly #repository: string;
  readonly #whole: ReadonlyMap<FileKind, ReadonlySet<string>>;
  #done = "";
  #runMs = 0;

  constructor(plan: KillPlan) {
    this.#plan = plan;
    this.#repository = join(plan.work, "repository");
    const template = join(plan.template, "repository");
    this.#whole = new Map(KINDS.map((kind) => [kind, new Set(filesOf(template, kind))]));
  }

  /** A run that nobody disturbs. */
  async measure(): Promise<{ runMs: number; moments: number }> {
    const { template, work } = this.#plan;
    const countFile = `${work}-moments`;
    copyWithLinks(template, work);
    await this.next(signalAtWrite({ below: work, signal: "SIGKILL", moment: 0, countFile }));
    this.#done = this.#changes();
    await this.#plan.afterNext(true);
    return { runMs: Math.round(this.#runMs), moments: Number(readFileSync(countFile, "utf8")) };
  }

  /** A run to the end, which also tells how long one takes on this machine by now. */
  async next(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const startMs = performance.now();
    const finished = await this.#start(env).finished;
    this.#runMs = performance.now() - startMs;
    assert.equal(finished.exitCode, 0, finished.describe());
  }

  async killAtWrite(moment: number): Promise<Progress> {
    const { template, work } = this.#plan;
    copyWithLinks(template, work);
    const env = signalAtWrite({ below: work, signal: "SIGKILL", moment });
    const finished = await this.#start(env).finished;
    assert.equal(finished.signal, "SIGKILL", finished.describe());
    return this.#progress();
  }

  /** At so much of the time that a run takes. */
  async killAtTime(share: number): Promise<Progress> {
    const { template, work } = this.#plan;
    for (let run = 0; run < RUNS_A_KILL_MAX; run++) {
      copyWithLinks(template, work);
      const startMs = performance.now();
      const { child, finished } = this.#start();
      await Promise.race([sleep(share * this.#runMs), finished]);
      child.kill("SIGKILL");
      const ended = await finished;
      if (ended.signal === "SIGKILL") return this.#progress();
      assert.equal(ended.exitCode, 0, ended.describe());
      // It was faster than the one that was measured, as the next one may be again.
      this.#runMs = 0.9 * Math.min(this.#runMs, performance.now() - startMs);
    }
    return assert.fail(`it ended ${RUNS_A_KILL_MAX} times before it could be killed`);
  }

  #start(env: Readonly<Record<string, string>> = {}): Running {
    const { args, cwd } = this.#plan;
    return new Client(COMEBACK, this.#repository).start(args, {
      env: { ...this.#plan.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  #progress(): Progress {
    const changes = this.#changes();
    if (changes === this.#done) return "after";
    return changes === NO_CHANGES ? "before" : "middle";
  }

  /** What is gone of what was there, and how much is new. */
  #changes(): string {
    const changes = KINDS.map((kind) => {
      const there = new Set(filesOf(this.#repository, kind));
      const before = this.#whole.get(kind) ?? new Set();
      return [[...before.difference(there)].toSorted(), there.difference(before).size];
    });
    return JSON.stringify(changes);
  }
}

const NO_CHANGES = JSON.stringify(KINDS.map(() => [[], 0]));
