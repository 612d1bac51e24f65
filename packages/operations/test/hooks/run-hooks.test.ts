import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { hook, type HookSettings } from "@comeback/operations";
import { type HookMoment, runHooks } from "@comeback/operations/hooks";
import { systemCommandRunner } from "@comeback/platform";
import { hastyClock, scratchFolder } from "../undo/scratch.ts";

const folder = scratchFolder();
const services = {
  runner: systemCommandRunner,
  fetch,
  resolveSecret: async (reference: object) => `secret of ${JSON.stringify(reference)}`,
};
const facts = { plan: "shop", runId: "r1", outcome: "failed", message: "a\nb" };

/** As it stands in a configuration. */
function hooksOf(...given: readonly object[]): HookSettings[] {
  return given.map((one) => hook.parse(one));
}

function run(hooks: readonly HookSettings[], when: HookMoment = "start") {
  const { signal } = new AbortController();
  return runHooks({ hooks, when, facts, services, clock: hastyClock, signal });
}

async function outcomesOf(hooks: readonly HookSettings[], when: HookMoment = "start") {
  return (await run(hooks, when)).map(({ outcome }) => outcome);
}

const requests: { url: string; headers: object; body: string }[] = [];
const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    requests.push({ url: request.url ?? "", headers: request.headers, body });
    response.writeHead(request.url?.startsWith("/missing") === true ? 404 : 200).end("x");
  });
});
let origin = "";
before(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

test("those run whose moment it is; at the end, those of always too", async () => {
  const names = ["start", "success", "failure", "always"];
  const hooks = hooksOf(...names.map((on) => ({ on, command: `echo ${on}` })));
  const ran = async (when: HookMoment) => (await run(hooks, when)).map((one) => one.description);
  assert.deepEqual(await ran("start"), ["echo start"]);
  assert.deepEqual(await ran("success"), ["echo success", "echo always"]);
  assert.deepEqual(await ran("warning"), ["echo always"]);
  assert.deepEqual(await ran("always"), ["echo always"]);
});

test("a command gets the facts in its environment and on its standard input", async () => {
  const file = join(folder, "facts");
  const line = `env | grep ^COMEBACK_ | sort >'${file}'; cat >>'${file}'`;
  const environment = { TOKEN: { env: "X" } };
  assert.deepEqual(await outcomesOf(hooksOf({ on: "start", command: line, environment })), ["ok"]);
  const text = readFileSync(file, "utf8");
  for (const fact of ["COMEBACK_PLAN=shop", "COMEBACK_RUN_ID=r1", "COMEBACK_OUTCOME=failed"]) {
    assert.ok(text.includes(`${fact}\n`), text);
  }
  assert.deepEqual(JSON.parse(text.trim().split("\n").at(-1)!), { event: "start", ...facts });
});

test("on-error says what a failure means", async () => {
  const failing = (onError: string) =>
    hooksOf({ on: "start", command: "exit 3", "on-error": onError });
  assert.deepEqual(await outcomesOf(failing("fail")), ["failed"]);
  assert.deepEqual(await outcomesOf(failing("warn")), ["warning"]);
  assert.deepEqual(await outcomesOf(failing("skip")), ["skipped"]);
  const [retried] = await run(failing("retry"));
  assert.equal(retried?.attempts, 3);
  assert.equal(retried?.outcome, "failed");
  assert.match(retried?.message ?? "", /`exit 3` failed: exit code 3/);
});

test("exit code 75 always means: skip", async () => {
  for (const onError of ["fail", "warn", "retry"]) {
    const hooks = hooksOf({ on: "start", command: "exit 75", "on-error": onError });
    const [one] = await run(hooks);
    assert.deepEqual([one?.outcome, one?.attempts], ["skipped", 1]);
  }
});

test("at the start a failure is the last one; at the end all of them run", async () => {
  const hooks = hooksOf(
    { on: ["start", "failure"], command: "exit 1" },
    { on: ["start", "failure"], command: "true" },
  );
  assert.deepEqual(await outcomesOf(hooks, "start"), ["failed"]);
  assert.deepEqual(await outcomesOf(hooks, "failure"), ["failed", "ok"]);
});

test("what takes too long is ended, and all that it started", async () => {
  const file = join(folder, "late");
  const line = `(sleep 0.8; touch '${file}') & sleep 60`;
  const [one] = await run(
    hooksOf({ on: "start", command: line, timeout: "1s" }).map((settings) => ({
      ...settings,
      timeout: 100,
    })),
  );
  assert.equal(one?.outcome, "failed");
  assert.match(one?.message ?? "", /had not ended after 0.1 s/);
  await run(hooksOf({ on: "start", command: "sleep 1" }));
  assert.ok(!existsSync(file));
});

test("an HTTP hook sends the facts, and its answer counts", async () => {
  const [, failed, accepted] = await run(
    hooksOf(
      { on: "failure", http: { url: `${origin}/hook`, headers: { "x-token": { env: "T" } } } },
      { on: "failure", http: { url: `${origin}/missing` } },
      { on: "failure", http: { url: `${origin}/missing`, status: 404 } },
    ),
    "failure",
  );
  const [first] = requests;
  assert.deepEqual(JSON.parse(first!.body), { event: "failure", ...facts });
  const { "x-token": token, "content-type": type } = first!.headers as Record<string, string>;
  assert.deepEqual([token, type], ['secret of {"env":"T"}', "application/json"]);
  assert.equal(failed?.outcome, "failed");
  assert.match(failed?.message ?? "", /the answer is 404/);
  assert.equal(accepted?.outcome, "ok");
});

test("no message of an HTTP hook holds a secret", async () => {
  const urls = [
    `${origin.replace("//", "//me:hidden@")}/missing?token=hidden`,
    "http://127.0.0.1:1/x?token=hidden",
    "no url: hidden",
  ];
  for (const url of urls) {
    const [one] = await run(hooksOf({ on: "start", http: { url } }));
    assert.equal(one?.outcome, "failed");
    assert.doesNotMatch(JSON.stringify(one), /hidden/);
  }
  const [secret] = await run(hooksOf({ on: "start", http: { url: { env: "U" } } }));
  assert.doesNotMatch(JSON.stringify(secret), /secret of/);
});

test("an abort ends it", async () => {
  const controller = new AbortController();
  const hooks = hooksOf({ on: "start", command: "sleep 60" });
  const { signal } = controller;
  const running = runHooks({ hooks, when: "start", facts, services, clock: hastyClock, signal });
  controller.abort(new Error("stop"));
  await assert.rejects(running, { message: "stop" });
});
