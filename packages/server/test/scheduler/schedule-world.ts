import assert from "node:assert/strict";
import type { Clock, RunOutcome } from "@comeback/core";
import { configuration, type Lane } from "@comeback/operations";
import { MemoryCatalog, type SeededRandom, SimulatedClock } from "@comeback/testkit";
import { configurationTimings } from "../../src/scheduler/configuration-lanes.ts";
import {
  Scheduler,
  type SchedulerEvent,
  type StartedRun,
  type StartRequest,
  type Timings,
} from "../../src/scheduler/scheduler.ts";

const NEVER: Promise<never> = new Promise(() => {});

/** A machine's clock that someone sets; sleeping goes by the time that really passes. */
class SettableClock implements Clock {
  readonly real: SimulatedClock;
  #aheadMs = 0;

  constructor(startMs: number) {
    this.real = new SimulatedClock(startMs);
  }

  now(): number {
    return this.real.now() + this.#aheadMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.real.sleep(delayMs, signal);
  }

  set(byMs: number): void {
    this.#aheadMs += byMs;
  }
}

export function timingsOf(plans: object, more: object = {}): Timings {
  return configurationTimings(
    configuration.parse({
      timezone: "UTC",
      destinations: {
        nas: { repo: "/mnt/nas", password: { env: "X" } },
        alias: { repo: "/mnt/nas", password: { env: "X" } },
        cloud: { repo: "s3:https://cloud/bucket", password: { env: "X" } },
        disk: { repo: "/mnt/disk", password: { env: "X" } },
      },
      ...more,
      plans,
    }),
  );
}

export interface Started {
  readonly request: StartRequest;
  readonly atMs: number;
  readonly id: string;
}

/** A scheduler, the catalog it leaves behind, and runs that take as long as they are told to. */
export class ScheduleWorld {
  readonly clock: SettableClock;
  readonly catalog: MemoryCatalog = new MemoryCatalog();
  readonly events: SchedulerEvent[] = [];
  readonly started: Started[] = [];
  readonly active: Map<string, { readonly request: StartRequest; readonly lane: Lane }> = new Map();
  /** How long the next run takes, and what comes of it; `undefined`: it cannot be started. */
  nextRun: (request: StartRequest) => { ms: number; outcome: RunOutcome } | undefined = () => ({
    ms: 60_000,
    outcome: "ok",
  });
  timings: Timings;
  readonly sleepMaxMs: number;
  #stop: AbortController | undefined;
  scheduler: Scheduler | undefined;
  #runs = 0;

  constructor(startMs: number, timings: Timings, sleepMaxMs = 60_000) {
    this.clock = new SettableClock(startMs);
    this.timings = timings;
    this.sleepMaxMs = sleepMaxMs;
  }

  /** The daemon comes up. */
  async up(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    const scheduler = new Scheduler({
      clock: this.clock,
      catalog: this.catalog,
      sleepMaxMs: this.sleepMaxMs,
      start: (request) => this.#start(request, stop.signal),
      report: (event) => {
        if (!stop.signal.aborted) this.events.push(event);
      },
    });
    this.scheduler = scheduler;
    await scheduler.load(this.timings, stop.signal);
    void scheduler.run(stop.signal);
  }

  /** The daemon is gone from one moment to the next, and what it started with it. */
  down(): void {
    this.#stop?.abort();
    this.active.clear();
  }

  async reload(timings: Timings): Promise<void> {
    this.timings = timings;
    await this.scheduler?.load(timings, this.#stop!.signal);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.real.advance(ms);
  }

  /** "shop incremental 02:00 schedule", for each start. */
  get startedList(): string[] {
    return this.started.map(({ request }) => {
      const { plan, job, type, scheduledForMs, trigger } = request;
      const what = job.kind === "copy" ? `copy ${job.from}>${job.to}` : (type ?? job.kind);
      return `${plan} ${what} ${timeOf(scheduledForMs)}${trigger === "catch-up" ? " catch-up" : ""}`;
    });
  }

  /** "shop incremental 02:00 down", oldest first. */
  async missedList(): Promise<string[]> {
    const misses = await this.catalog.listMisses({ limit: Infinity });
    return misses
      .reverse()
      .map(
        ({ plan, trigger, scheduledForMs, reason, caughtUpBy }) =>
          `${plan} ${trigger.split(" ")[0]} ${timeOf(scheduledForMs)} ${reason}` +
          (caughtUpBy === undefined ? "" : ` (${caughtUpBy})`),
      );
  }

  async #start(request: StartRequest, signal: AbortSignal): Promise<StartedRun> {
    if (signal.aborted) return NEVER;
    const run = this.nextRun(request);
    if (run === undefined) throw new Error("no process can be made");
    const lane = this.timings.lanes.find(
      ({ plan, job }) =>
        plan === request.plan && JSON.stringify(job) === JSON.stringify(request.job),
    );
    assert.ok(lane, `${request.plan} is in the configuration`);
    this.#checkRoomFor(lane);
    const id = `run-${++this.#runs}`;
    const atMs = this.clock.now();
    this.started.push({ request, atMs, id });
    this.active.set(id, { request, lane });
    const record = {
      id,
      plan: request.plan,
      host: "web1",
      trigger: request.trigger,
      backupType: request.type,
      scheduledForMs: request.scheduledForMs,
      startedAtMs: atMs,
      processId: 1,
    };
    await this.catalog.saveRun(record);
    return { ended: this.#end(id, record, run, signal) };
  }

  async #end(
    id: string,
    record: Parameters<MemoryCatalog["saveRun"]>[0],
    { ms, outcome }: { ms: number; outcome: RunOutcome },
    signal: AbortSignal,
  ): Promise<{ outcome: RunOutcome }> {
    await this.clock.sleep(ms, signal).catch(() => NEVER);
    this.active.delete(id);
    await this.catalog.saveRun({ ...record, endedAtMs: this.clock.now(), outcome });
    return { outcome };
  }

  #checkRoomFor(lane: Lane): void {
    if (lane.job.kind === "digest") return;
    const at = timeOf(this.clock.now());
    assert.equal(lane.quiet.firstOpen(this.clock.now()), this.clock.now(), `${at} is quiet`);
    const others = [...this.active.values()].filter(({ lane: { job } }) => job.kind !== "digest");
    assert.ok(others.length < this.timings.parallelRuns, `${at}: too many at once`);
    for (const { lane: other } of others) {
      assert.notEqual(other.plan, lane.plan, `${at}: ${lane.plan} runs already`);
      const shared = other.repositories.filter((name) => lane.repositories.includes(name));
      assert.deepEqual(shared, [], `${at}: ${other.plan} and ${lane.plan}`);
    }
  }

  /**
   * Every moment of every trigger up to `untilMs` came to exactly one end. Throws with the first
   * that did not.
   */
  async checkAllAnswered(sinceMs: number, untilMs: number): Promise<number> {
    const answers = new Map<string, string[]>();
    const note = (plan: string, trigger: string, moment: number, what: string): void => {
      const key = `${plan} ${trigger} ${moment}`;
      answers.set(key, [...(answers.get(key) ?? []), what]);
    };
    for (const event of this.events) {
      if (event.kind !== "started") continue;
      for (const { trigger, momentsMs } of event.answers) {
        for (const moment of momentsMs) note(event.request.plan, trigger, moment, "run");
      }
    }
    for (const miss of await this.catalog.listMisses({ limit: Infinity })) {
      note(miss.plan, miss.trigger, miss.scheduledForMs, miss.reason);
    }
    let count = 0;
    for (const { plan, triggers } of this.timings.lanes) {
      for (const { key, timetable } of triggers) {
        for (const moment of timetable.occurrences(sinceMs, untilMs)) {
          const found = answers.get(`${plan} ${key} ${moment}`) ?? [];
          const where = `${plan} ${key} at ${new Date(moment).toISOString()}`;
          assert.equal(found.length, 1, `${where}: ${found.join(", ") || "not answered"}`);
          count++;
        }
      }
    }
    return count;
  }
}

export function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

/** A random number of milliseconds, whole minutes more often than not. */
export function someTime(random: SeededRandom, maxMinutes: number): number {
  const minutes = random.integer(0, maxMinutes);
  return minutes * 60_000 + (random.chance(40) ? random.integer(0, 59_999) : 0);
}
