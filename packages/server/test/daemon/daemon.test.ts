import assert from "node:assert/strict";
import { existsSync, mkdtempDisposableSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { type Configuration, configuration } from "@comeback/operations";
import { MemoryCatalog, SimulatedClock } from "@comeback/testkit";
import { Daemon, type DaemonEvent, type DaemonParts } from "../../src/daemon/daemon.ts";
import { notificationOfEvent } from "../../src/daemon/notification-of-event.ts";
import type { StartedRun } from "../../src/scheduler/scheduler.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);

function configurationOf(plans: Readonly<Record<string, string>>): Configuration {
  const sources = { data: { files: { paths: ["/srv"] } } };
  return configuration.parse({
    timezone: "UTC",
    destinations: { nas: { repo: "/mnt/nas", password: { env: "X" } } },
    plans: Object.fromEntries(
      Object.entries(plans).map(([name, schedule]) => [name, { sources, to: "nas", schedule }]),
    ),
  });
}

/** A daemon whose runs end when they are told to, or signalled. */
class DaemonWorld {
  readonly clock = new SimulatedClock(START);
  readonly catalog = new MemoryCatalog();
  readonly told: string[] = [];
  readonly events: DaemonEvent[] = [];
  readonly stop = new AbortController();
  readonly running: Map<string, (outcome: "ok" | "failed") => void> = new Map();
  configuration: Configuration | Error = configurationOf({ shop: "hourly" });
  /** How runs answer to being asked to end. */
  endsWhenAsked = true;
  undo: () => Promise<void> = async () => {};
  readonly daemon: Daemon = this.makeDaemon();

  makeDaemon(): Daemon {
    return new Daemon(this.#parts());
  }

  #parts(): DaemonParts {
    return {
      clock: this.clock,
      catalog: this.catalog,
      version: "1.2.3",
      manager: {
        watchdogMs: 60 * MINUTE,
        ready: (status) => this.told.push(`ready: ${status}`),
        status: () => {},
        reloading: () => this.told.push("reloading"),
        stopping: () => this.told.push("stopping"),
        alive: () => this.told.push("alive"),
      },
      loadConfiguration: async () => {
        if (this.configuration instanceof Error) throw this.configuration;
        return this.configuration;
      },
      undoLeftOver: () => this.undo(),
      countLeftOver: async () => 0,
      start: async ({ plan, type, trigger, scheduledForMs }): Promise<StartedRun> => {
        await this.catalog.saveRun({
          id: `run of ${plan} at ${scheduledForMs}`,
          plan,
          host: "web1",
          trigger,
          backupType: type,
          scheduledForMs,
          startedAtMs: this.clock.now(),
          processId: 1,
        });
        const { promise, resolve } = Promise.withResolvers<{ outcome: "ok" | "failed" }>();
        this.running.set(plan, (outcome) => {
          this.running.delete(plan);
          resolve({ outcome });
        });
        return { ended: promise };
      },
      signalRuns: (name) => {
        this.told.push(name);
        if (name === "SIGTERM" && !this.endsWhenAsked) return;
        for (const end of this.running.values()) end("failed");
      },
      report: (event) => this.events.push(event),
    };
  }

  get kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}

async function upTo(world: DaemonWorld): Promise<{ ended: Promise<void> }> {
  const ended = world.daemon.run(world.stop.signal);
  ended.catch(() => undefined);
  for (let i = 0; i < 5; i++) await turn();
  return { ended };
}

test("it undoes what is left over, is ready, is alive, runs plans, and stops", async () => {
  const world = new DaemonWorld();
  world.undo = async () => void world.told.push("undone");
  const { ended } = await upTo(world);
  assert.deepEqual(world.told, ["undone", "ready: 1 plan", "alive"]);
  await world.clock.advance(HOUR);
  assert.deepEqual([...world.running.keys()], ["shop"]);
  world.running.get("shop")!("ok");
  await world.clock.advance(MINUTE);
  world.stop.abort();
  await ended;
  assert.deepEqual(world.told.slice(3), ["alive", "alive", "stopping"]);
  assert.deepEqual(world.kinds, ["ready", "started", "ended"]);
});

test("a stop waits for runs, and starts none meanwhile", async () => {
  const world = new DaemonWorld();
  const { ended } = await upTo(world);
  await world.clock.advance(HOUR + 59.5 * MINUTE);
  world.stop.abort();
  await world.clock.advance(45_000);
  world.running.get("shop")!("ok");
  await ended;
  assert.deepEqual(world.kinds, ["ready", "started", "stopping", "ended"]);
  assert.ok(!world.told.includes("SIGTERM"));
  // Its end is recorded: nothing is made up for at the next start.
  assert.equal(
    await world.catalog.readScheduleMark("shop", "incremental hourly UTC"),
    START + HOUR,
  );
});

test("a run that takes longer is asked to end, and at last ended", async () => {
  for (const endsWhenAsked of [true, false]) {
    const world = new DaemonWorld();
    world.endsWhenAsked = endsWhenAsked;
    const { ended } = await upTo(world);
    await world.clock.advance(HOUR);
    world.stop.abort();
    await world.clock.advance(MINUTE);
    assert.ok(world.told.includes("SIGTERM"));
    await world.clock.advance(MINUTE);
    await ended;
    assert.equal(world.told.includes("SIGKILL"), !endsWhenAsked);
    assert.equal(world.events.at(-1)?.kind, "ended");
  }
});

test("a reload takes up what is new; a mistake leaves all as it was, and is told", async () => {
  const world = new DaemonWorld();
  const { ended } = await upTo(world);
  world.configuration = new Error("comeback.yaml:3:7");
  await world.daemon.reload(world.stop.signal);
  world.configuration = configurationOf({ shop: "hourly", bad: "dayly 02:00" });
  await world.daemon.reload(world.stop.signal);
  assert.deepEqual(world.kinds, ["ready", "reload-failed", "reload-failed"]);
  assert.match(world.told.at(-1)!, /^ready: 1 plan; the configuration file has a mistake/);
  await world.clock.advance(HOUR);
  assert.deepEqual([...world.running.keys()], ["shop"]);

  world.configuration = configurationOf({ web: "hourly :30" });
  await world.daemon.reload(world.stop.signal);
  assert.equal(world.told.at(-1), "ready: 1 plan");
  world.running.get("shop")!("ok");
  await world.clock.advance(HOUR);
  assert.deepEqual([...world.running.keys()], ["web"]);
  world.stop.abort();
  await world.clock.advance(2 * MINUTE);
  await ended;
});

test("it does not begin with a configuration that has a mistake", async () => {
  const world = new DaemonWorld();
  world.configuration = new Error("comeback.yaml:3:7");
  const { ended } = await upTo(world);
  await assert.rejects(ended, /comeback\.yaml:3:7/);
  assert.deepEqual(world.told, []);
});

test("what cannot be undone is told, and backups go on", async () => {
  const world = new DaemonWorld();
  world.undo = async () => {
    throw new Error("the snapshot is busy");
  };
  const { ended } = await upTo(world);
  assert.deepEqual(world.kinds, ["undo-failed", "ready"]);
  world.stop.abort();
  await ended;
});

test("once: what is due is started and waited for, and then it is over", async () => {
  const first = new DaemonWorld();
  await first.daemon.runOnce(first.stop.signal);
  assert.deepEqual(first.kinds, []);

  const second = new DaemonWorld();
  Object.assign(second, { catalog: first.catalog });
  await second.clock.advance(HOUR + MINUTE);
  const daemon = second.makeDaemon();
  const ended = daemon.runOnce(second.stop.signal);
  // The next moment comes while the first run is under way.
  await second.clock.advance(HOUR);
  assert.deepEqual(second.kinds, ["started", "missed"]);
  second.running.get("shop")!("ok");
  await second.clock.advance(MINUTE);
  await ended;
  assert.deepEqual(second.kinds, ["started", "missed", "ended"]);
});

test("once: it is over with its last run, though the catalog takes its time", async () => {
  const first = new DaemonWorld();
  await first.daemon.runOnce(first.stop.signal);
  const world = new DaemonWorld();
  Object.assign(world, { catalog: first.catalog });
  const save = world.catalog.saveScheduleMark.bind(world.catalog);
  world.catalog.saveScheduleMark = async (...mark) => {
    for (let i = 0; i < 5; i++) await turn();
    return save(...mark);
  };
  await world.clock.advance(HOUR);
  let isOver = false;
  const ended = world
    .makeDaemon()
    .runOnce(world.stop.signal)
    .then(() => (isOver = true));
  await world.clock.advance(1);
  world.running.get("shop")!("ok");
  // The clock stands still.
  for (let i = 0; i < 50; i++) await turn();
  assert.ok(isOver);
  await ended;
});

test("once: the file of metrics is written while it waits for a run", async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "comeback-daemon-"));
  const textfile = join(folder.path, "comeback.prom");
  const first = new DaemonWorld();
  await first.daemon.runOnce(first.stop.signal);

  const world = new DaemonWorld();
  Object.assign(world, { catalog: first.catalog });
  const { configuration: given } = world;
  assert.ok(!(given instanceof Error));
  world.configuration = { ...given, daemon: { ...given.daemon, metrics: { textfile } } };
  await world.clock.advance(HOUR);
  const ended = world.makeDaemon().runOnce(world.stop.signal);
  await world.clock.advance(30 * MINUTE);
  assert.deepEqual([...world.running.keys()], ["shop"]);
  const writtenAt = (): number => {
    if (!existsSync(textfile)) return 0;
    const text = readFileSync(textfile, "utf8");
    return Number(/^comeback_metrics_timestamp_seconds (\d+)/m.exec(text)?.[1]);
  };
  // Files are written by the real file system, which takes no notice of the simulated clock.
  for (let i = 0; i < 100_000 && writtenAt() < (START + HOUR + 20 * MINUTE) / 1000; i++) {
    await world.clock.advance(MINUTE / 60);
    await turn();
  }
  assert.ok(writtenAt() >= (START + HOUR + 20 * MINUTE) / 1000);
  world.running.get("shop")!("ok");
  await world.clock.advance(MINUTE);
  await ended;
});

test("what only the daemon can tell of", () => {
  const about = { host: "web1", atMs: START };
  const missed = {
    kind: "missed",
    plan: "shop",
    trigger: "full daily 02:00 UTC",
    momentsMs: [START, START + HOUR],
    omitted: 3,
    reason: "down",
  } as const;
  const notification = notificationOfEvent(missed, about);
  assert.equal(notification?.title, "shop on web1 was not started 5 times");
  assert.match(notification.lines.join(" "), /nothing ran that could have started it.*T01:00/);

  const request = {
    plan: "shop",
    job: { kind: "backup" },
    trigger: "schedule",
    scheduledForMs: START,
  } as const;
  const died = {
    kind: "ended",
    request,
    outcome: "failed",
    message: "it was ended by SIGKILL",
  } as const;
  const told = notificationOfEvent({ ...died, hasReported: false }, about);
  assert.equal(told?.event, "run.failed");
  assert.match(told.lines[0]!, /SIGKILL/);
  // A run that could tell of its end did.
  assert.equal(notificationOfEvent({ ...died, hasReported: true }, about), undefined);
});
