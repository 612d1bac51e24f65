import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { Client, PASSWORD } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type Running, startProgram } from "../drivers/run-program.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/** Metrics, alerts and the dashboard as Prometheus itself understands them (test/services/prometheus). */
const DOCS = join(import.meta.dirname, "../../docs/reference");
const folder = scratchFolder("prometheus");
const at = (name: string): string => join(folder, name);
const { environment } = new Client(COMEBACK, at("nas"));
const servers: Running[] = [];
let daemonUrl = "";
let prometheusUrl = "";

after(async () => {
  for (const { child } of servers) child.kill("SIGTERM");
  await Promise.all(servers.map(({ finished }) => finished));
});

function serve(command: string, args: readonly string[]): void {
  servers.push(startProgram(command, args, { env: environment, cwd: folder, mayRunOn: true }));
}

async function promtool(args: readonly string[], input = ""): Promise<void> {
  const finished = await startProgram("promtool", args, { cwd: folder, input }).finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  // What it would only advise is on its standard error.
  assert.equal(finished.stderr, "", finished.describe());
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

before(async () => {
  const [daemonPort, prometheusPort] = await freePorts(2);
  daemonUrl = `http://127.0.0.1:${daemonPort}`;
  prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  writeFileSync(join(makeFolder(folder, "data"), "file"), "precious");
  writeFileSync(at("key"), `${PASSWORD}\n`, { mode: 0o600 });
  for (const name of ["nas", "cloud"]) await makeQuickRepository(at(name));
  writeFileSync(
    at("comeback.yaml"),
    `state: ${at("state")}
host: web1
destinations:
  nas: { repo: ${at("nas")}, password: { file: ${at("key")} } }
  cloud: { repo: ${at("cloud")}, password: { file: ${at("key")} } }
plans:
  shop:
    schedule: daily 00:00
    objectives: { rpo: 24h }
    sources: { data: { files: ${at("data")} } }
    to: nas
    copies: [{ from: nas, to: cloud }]
daemon:
  metrics: { listen: "127.0.0.1:${daemonPort}", textfile: ${at("comeback.prom")} }
`,
    { mode: 0o600 },
  );
  for (const name of ["alerts.rules.yml", "alerts.test.yml"]) {
    cpSync(join(name.includes("test") ? import.meta.dirname : DOCS, name), at(name));
  }
  // As docs/reference/metrics.md has it, but for how often it asks.
  writeFileSync(
    at("prometheus.yml"),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [alerts.rules.yml]
scrape_configs:
  - job_name: comeback
    static_configs: [{ targets: ["127.0.0.1:${daemonPort}"] }]
`,
  );
  const args = ["--config", at("comeback.yaml"), "run", "shop"];
  const run = await startProgram(COMEBACK.command, args, { env: environment }).finished;
  assert.equal(run.exitCode, 0, run.describe());
  serve(COMEBACK.command, ["--config", at("comeback.yaml"), "daemon"]);
  await waitUntil("the daemon answers", () => answers(`${daemonUrl}/healthz`));
  serve("prometheus", [
    `--config.file=${at("prometheus.yml")}`,
    `--storage.tsdb.path=${at("series")}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);
  await waitUntil("Prometheus answers", () => answers(`${prometheusUrl}/-/ready`));
});

test("the rules are valid; each alert fires where it should, and not before", async () => {
  await promtool(["check", "rules", "alerts.rules.yml"]);
  await promtool(["test", "rules", "alerts.test.yml"]);
});

test("each alert is tried on series where it fires and on some where it does not", () => {
  const { groups } = parse(readFileSync(at("alerts.rules.yml"), "utf8")) as {
    groups: { rules: { alert: string }[] }[];
  };
  const { tests } = parse(readFileSync(at("alerts.test.yml"), "utf8")) as {
    tests: { alert_rule_test?: { alertname: string; exp_alerts: object[] }[] }[];
  };
  const tried = tests.flatMap(({ alert_rule_test: of = [] }) => of);
  const names = (fires: boolean): string[] => [
    ...new Set(
      tried
        .filter(({ exp_alerts: alerts }) => alerts.length > 0 === fires)
        .map(({ alertname }) => alertname),
    ),
  ];
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)).toSorted();
  assert.deepEqual(names(true).toSorted(), alerts);
  assert.deepEqual(names(false).toSorted(), alerts);
});

test("Prometheus finds no fault with what the endpoint and the file say", async () => {
  const page = await fetch(`${daemonUrl}/metrics`);
  await promtool(["check", "metrics"], await page.text());
  await promtool(["check", "metrics"], readFileSync(at("comeback.prom"), "utf8"));
});

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function ask(expression: string): Promise<Answer["data"]["result"]> {
  const url = `${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = (await (await fetch(url)).json()) as Answer;
  assert.equal(answer.status, "success", `${expression}: ${answer.error}`);
  return answer.data.result;
}

test("a Prometheus that asks the daemon has series for every panel, and no alert", async () => {
  const { panels } = JSON.parse(readFileSync(join(DOCS, "grafana-dashboard.json"), "utf8")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );
  assert.ok(expressions.length >= 17);
  for (const { title, expr } of expressions) {
    await waitUntil(`"${title}" has series: ${expr}`, async () => (await ask(expr)).length > 0);
  }
  const [up] = await ask('up{job="comeback"}');
  assert.equal(up?.value[1], "1");
  const [saved] = await ask('comeback_plan_processed_bytes{plan="shop"}');
  assert.ok(Number(saved?.value[1]) >= "precious".length);
  await waitUntil("rules are evaluated", async () => {
    const answer = await fetch(`${prometheusUrl}/api/v1/rules`);
    const text = await answer.text();
    assert.doesNotMatch(text, /"health":"err"/);
    return text.includes('"health":"ok"') && !text.includes('"health":"unknown"');
  });
  assert.deepEqual(await ask("ALERTS"), []);
});
