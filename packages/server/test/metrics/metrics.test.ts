import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError, type RunRecord, type SnapshotRecord } from "@comeback/core";
import { type Configuration, configuration } from "@comeback/operations";
import { MemoryCatalog, SimulatedClock } from "@comeback/testkit";
import { collectMetrics } from "../../src/metrics/collect-metrics.ts";
import { renderMetrics } from "../../src/metrics/metric.ts";
import { parseListen, serveMetrics } from "../../src/metrics/metrics-server.ts";
import { writeMetricsTextfile } from "../../src/metrics/metrics-textfile.ts";
import { RunCounters } from "../../src/metrics/run-counters.ts";

const NOW = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;

const config: Configuration = configuration.parse({
  destinations: {
    nas: { repo: "/mnt/nas", password: { env: "X" } },
    cloud: { repo: "/mnt/cloud", password: { env: "X" } },
  },
  plans: {
    shop: {
      sources: { data: { files: { paths: ["/srv"] } }, db: { files: { paths: ["/db"] } } },
      to: "nas",
      copies: [{ from: "nas", to: "cloud" }],
      objectives: { rpo: "24h" },
    },
    new: { sources: { data: { files: { paths: ["/new"] } } }, to: "nas", enabled: false },
  },
});

function run(id: string, startedAtMs: number, more: Partial<RunRecord>): RunRecord {
  return {
    id,
    plan: "shop",
    host: "web1",
    trigger: "schedule",
    startedAtMs,
    processId: 1,
    ...more,
  };
}

function snapshot(more: Partial<SnapshotRecord>): SnapshotRecord {
  return {
    runId: "r1",
    plan: "shop",
    source: "data",
    destination: "nas",
    snapshotId: Math.random().toString(),
    backupType: "incremental",
    atMs: NOW - 2 * HOUR,
    files: 1,
    sizeBytes: 1000,
    addedBytes: 100,
    storedBytes: 50,
    items: [],
    outcome: "ok",
    ...more,
  };
}

async function pageOf(
  catalog: MemoryCatalog,
  leftOver = async (): Promise<number> => 0,
): Promise<string> {
  const counters = new RunCounters();
  counters.prepare(["shop"]);
  const missed = {
    kind: "missed",
    plan: "shop",
    trigger: "t",
    momentsMs: [1, 2],
    omitted: 3,
  } as const;
  counters.count({ ...missed, reason: "down" });
  const metrics = await collectMetrics({
    configuration: config,
    catalog,
    version: "1.2.3",
    nowMs: NOW,
    counted: counters.metrics(),
    isConfigurationCurrent: true,
    nextStartOf: (plan) => (plan === "shop" ? NOW + HOUR : undefined),
    undoLeftOver: leftOver,
  });
  return renderMetrics(metrics);
}

function assertHas(page: string, ...lines: readonly string[]): void {
  const all = page.split("\n");
  for (const line of lines) {
    const [name] = line.split(/[{ ]/);
    const near = all.filter((other) => other.startsWith(name!)).join("\n");
    assert.ok(all.includes(line), `${line} in\n${near}`);
  }
}

test("what is known of a plan", async () => {
  const catalog = new MemoryCatalog();
  const good = { outcome: "ok", endedAtMs: NOW - 1.5 * HOUR } as const;
  await catalog.saveRun(run("r1", NOW - 2 * HOUR, good));
  await catalog.saveRun(run("r2", NOW - HOUR, { outcome: "failed", endedAtMs: NOW - 0.9 * HOUR }));
  await catalog.saveSnapshot(snapshot({}));
  await catalog.saveSnapshot(
    snapshot({ destination: "cloud", copiedFrom: "x", atMs: NOW - 5 * HOUR }),
  );
  await catalog.saveSnapshot(snapshot({ source: "db", atMs: NOW - 30 * HOUR, runId: "r0" }));
  await catalog.saveMiss({
    plan: "shop",
    trigger: "t",
    scheduledForMs: 1,
    noticedAtMs: 2,
    reason: "down",
  });
  assertHas(
    await pageOf(catalog),
    "comeback_up 1",
    'comeback_build_info{version="1.2.3"} 1',
    "comeback_catalog_readable 1",
    "comeback_undo_left_over 0",
    'comeback_plan_last_run_timestamp_seconds{plan="shop"} ' + (NOW - HOUR) / 1000,
    'comeback_plan_last_success_timestamp_seconds{plan="shop"} ' + (NOW - 1.5 * HOUR) / 1000,
    'comeback_plan_last_duration_seconds{plan="shop"} 1800',
    'comeback_plan_last_run_outcome{plan="shop",outcome="failed"} 1',
    'comeback_plan_last_run_outcome{plan="shop",outcome="ok"} 0',
    'comeback_plan_processed_bytes{plan="shop"} 1000',
    'comeback_plan_added_bytes{plan="shop"} 100',
    'comeback_plan_stored_bytes{plan="shop"} 50',
    // The worst of its sources counts.
    'comeback_plan_rpo_exposure_seconds{plan="shop"} 108000',
    'comeback_plan_rpo_objective_seconds{plan="shop"} 86400',
    'comeback_plan_next_run_timestamp_seconds{plan="shop"} ' + (NOW + HOUR) / 1000,
    'comeback_plan_open_misses{plan="shop"} 1',
    // Nothing of `db` was copied.
    'comeback_copy_lag_seconds{plan="shop",from="nas",to="cloud"} +Inf',
    'comeback_schedule_misses_total{plan="shop",reason="down"} 5',
    'comeback_runs_total{plan="shop",outcome="failed"} 0',
    // A plan that never ran is exposed without end, not absent.
    'comeback_plan_rpo_exposure_seconds{plan="new"} +Inf',
    'comeback_plan_enabled{plan="new"} 0',
  );
});

test("every line is as Prometheus' text format has it", async () => {
  const page = await pageOf(new MemoryCatalog());
  const sample = /^[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (?:[-+]Inf|-?[\d.e+-]+)$/;
  assert.ok(page.endsWith("\n"));
  for (const line of page.trimEnd().split("\n")) {
    assert.match(line, line.startsWith("#") ? /^# (?:HELP|TYPE) comeback_[a-z_]+ .+$/ : sample);
  }
  const odd = { labels: { plan: 'a"b\\c\nd' }, value: -Infinity };
  assert.equal(
    renderMetrics([{ name: "x", type: "gauge", help: "a\\b\nc", samples: [odd] }]),
    '# HELP x a\\\\b\\nc\n# TYPE x gauge\nx{plan="a\\"b\\\\c\\nd"} -Inf\n',
  );
});

test("what cannot be found out is left out, and that is told", async () => {
  const catalog = new MemoryCatalog();
  catalog.planStates = async () => {
    throw new Error("no such file");
  };
  const page = await pageOf(catalog, async () => {
    throw new Error("unreadable");
  });
  assertHas(page, "comeback_up 1", "comeback_catalog_readable 0");
  assert.doesNotMatch(page, /^comeback_undo_left_over /m);
  assert.doesNotMatch(page, /^comeback_plan_/m);
});

function get(url: string, method = "GET"): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const type = response.headers["content-type"] ?? "";
        resolve({ status: response.statusCode ?? 0, type, text });
      });
    });
    sent.on("error", reject).end();
  });
}

test("the endpoint", async () => {
  const clock = new SimulatedClock();
  let collected = 0;
  const state: { problem?: string } = {};
  await using server = await serveMetrics({
    listen: "127.0.0.1:0",
    clock,
    collect: async () => {
      collected++;
      return [{ name: "x", type: "gauge", help: "h", samples: [{ value: collected }] }];
    },
    health: () => state.problem,
  });
  const first = await get(`${server.url}/metrics`);
  assert.deepEqual([first.status, first.text.split("\n")[2]], [200, "x 1"]);
  assert.match(first.type, /^text\/plain; version=0\.0\.4/);
  // Many who ask at once are told the same.
  await Promise.all([1, 2, 3].map(() => get(`${server.url}/metrics?a=b`)));
  assert.equal(collected, 1);
  await clock.advance(6_000);
  assert.match((await get(`${server.url}/metrics`)).text, /^x 2$/m);
  assert.deepEqual(await get(`${server.url}/healthz`), {
    status: 200,
    type: "text/plain; charset=utf-8",
    text: "ok\n",
  });
  state.problem = "it stops";
  assert.equal((await get(`${server.url}/healthz`)).status, 503);
  assert.equal((await get(`${server.url}/metrics`, "POST")).status, 405);
  assert.equal((await get(`${server.url}/`)).status, 404);
  // An address that is taken says so.
  await assert.rejects(
    serveMetrics({
      listen: server.url.replace("http://", ""),
      clock,
      collect: async () => [],
      health: () => undefined,
    }),
    (error: unknown) => isComebackError(error, "configuration.invalid"),
  );
});

test("where to listen", () => {
  assert.deepEqual(parseListen("127.0.0.1:9469"), { host: "127.0.0.1", port: 9469 });
  assert.deepEqual(parseListen("[::1]:9469"), { host: "::1", port: 9469 });
  // Without a host, for this machine only.
  assert.deepEqual(parseListen(":9469"), { host: "127.0.0.1", port: 9469 });
  for (const bad of ["9469", "host", "host:99999", "a b:1", "::1:9469"]) {
    assert.throws(
      () => parseListen(bad),
      (error: unknown) => isComebackError(error, "configuration.invalid"),
      bad,
    );
  }
});

test("the file is there as a whole, or as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-metrics-"));
  try {
    const path = join(folder, "deep/comeback.prom");
    const metric = { name: "x", type: "gauge", help: "h", samples: [{ value: 1 }] } as const;
    await writeMetricsTextfile(path, [metric]);
    await writeMetricsTextfile(path, [{ ...metric, samples: [{ value: 2 }] }]);
    assert.match(readFileSync(path, "utf8"), /^x 2$/m);
    await assert.rejects(writeMetricsTextfile(join(path, "in-a-file.prom"), [metric]));
    await assert.rejects(writeMetricsTextfile(folder, [metric]));
    assert.deepEqual(readdirSync(join(folder, "deep")), ["comeback.prom"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
