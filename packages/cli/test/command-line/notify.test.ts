import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { HttpStandIn, telegramApi, telegramFailure } from "@comeback/testkit";
import { makeQuickRepository } from "./quick-repository.ts";
import { type Outcome, PASSWORD, ScratchFolder, startComeback } from "./run-comeback.ts";

const TOKEN = "123456:AAE-token_of_the_bot";
const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const source = scratch.at("source");
mkdirSync(source);
writeFileSync(`${source}/file`, "content\n");
mkdirSync(scratch.at("other"));
writeFileSync(scratch.at("key"), `${PASSWORD}\n`, { mode: 0o600 });
await makeQuickRepository(scratch.at("repository"));
const shown: string[] = [];
const telegram = await HttpStandIn.start(telegramApi({ token: TOKEN, chat: "-1001" }, shown));
after(() => telegram[Symbol.asyncDispose]());
const hooks = await HttpStandIn.start(() => ({ status: 204 }));
after(() => hooks[Symbol.asyncDispose]());

writeFileSync(
  scratch.at("comeback.yaml"),
  `host: web1
state: ${scratch.at("state")}
destinations:
  nas: { repo: ${scratch.at("repository")}, password: { file: ${scratch.at("key")} } }
channels:
  ops:
    telegram: { token: { env: BOT_TOKEN }, chat: -1001, server: "${telegram.url}" }
  hook:
    webhook: { url: "${hooks.url}/x" }
    severity: error
plans:
  shop:
    sources: { content: { files: ${source} } }
    to: nas
    notify: [ops, hook]
  slow:
    sources: { content: { files: ${scratch.at("other")} } }
    to: nas
    notify: ops
    hooks: [{ on: start, command: [sleep, "600"], timeout: 20m }]
`,
  { mode: 0o600 },
);
const env = {
  COMEBACK_PASSWORD: "",
  COMEBACK_CONFIG: scratch.at("comeback.yaml"),
  BOT_TOKEN: TOKEN,
};

function comeback(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return startComeback(args, { env: { ...env, ...more } }).ended;
}

test("a run tells of its start, its end, its failure, and that it is well again", async () => {
  const good = await comeback(["run", "shop"]);
  assert.equal(good.exitCode, 0, good.stderr + good.stdout);
  assert.equal(shown.length, 2, shown.join("\n---\n"));
  assert.match(shown[0]!, /^shop started on web1$/);
  assert.match(shown[1]!, /^shop is done on web1\n\nsaved content to nas\nsee `comeback history /);
  assert.equal(hooks.requests.length, 0, "it wants errors only");

  renameSync(source, `${source}-gone`);
  const bad = await comeback(["run", "shop"]);
  assert.notEqual(bad.exitCode, 0);
  assert.match(shown[3]!, /^shop failed on web1\n\n[a-z]+ content: /);
  const body = JSON.parse(hooks.requests[0]!.body) as { readonly facts: Record<string, unknown> };
  assert.equal(body.facts["outcome"], "failed");

  renameSync(`${source}-gone`, source);
  await comeback(["run", "shop"]);
  assert.match(shown[5]!, /^shop is ok again on web1\n/);
  assert.equal(hooks.requests.length, 2, "who was told of the failure is told of its end");
});

test("a channel that fails fails no run, is a line of its log, and is told by the others", async () => {
  hooks.requests.length = 0;
  shown.length = 0;
  const { exitCode, stderr, stdout } = await comeback(["run", "shop"], { BOT_TOKEN: "9:wrong" });
  assert.equal(exitCode, 0, stderr + stdout);
  assert.match(stdout + stderr, /not everybody could be told: ops could not be told/);
  assert.ok(!(stdout + stderr).includes("9:wrong"));
  const { event, lines } = JSON.parse(hooks.requests[0]!.body) as {
    readonly event: string;
    readonly lines: readonly string[];
  };
  assert.equal(event, "channel.failed");
  assert.match(
    lines.join("\n"),
    /404: Not Found\nnext: [^]*\nnot told there: shop is done on web1\n/,
  );
  await comeback(["run", "shop"]);
  const late = shown.find((text) => text.startsWith("1 message of web1 that came too late"));
  assert.match(late ?? "", / shop is done on web1$/);
});

test("a run that is interrupted tells of it before it ends", async () => {
  shown.length = 0;
  const started = telegram.arrival();
  const { child, ended } = startComeback(["run", "slow"], { env });
  await started;
  child.kill("SIGINT");
  assert.equal((await ended).exitCode, 130);
  assert.match(shown[1] ?? "", /^slow failed on web1\n\nstopped before the end/);
});

test("a dry run tells nobody", async () => {
  shown.length = 0;
  await comeback(["run", "shop", "--dry-run"]);
  assert.deepEqual(shown, []);
});

test("notify test sends through each channel, and says of each what became of it", async () => {
  shown.length = 0;
  const all = await comeback(["notify", "test"]);
  assert.equal(all.exitCode, 0, all.stderr);
  assert.match(all.stdout, /^sent +ops \(telegram\)\nsent +hook \(webhook\)\n$/);
  assert.match(shown[0]!, /^a test of Comeback on web1\n/);

  telegram.answerNext(telegramFailure(400, "Bad Request: chat not found"));
  const one = await comeback(["notify", "test", "ops"]);
  assert.equal(one.exitCode, 1);
  assert.match(
    one.stdout.replaceAll(/\s+/g, " "),
    /^failed ops \(telegram\) telegram did not take the message: the answer is 400: Bad Request: chat not found next: check `chat`/,
  );
  telegram.answerNext(telegramFailure(401, "Unauthorized"));
  const json = await comeback(["notify", "test", "--json"]);
  assert.equal(json.exitCode, 1);
  const [ops, hook] = JSON.parse(json.stdout) as Record<string, string>[];
  assert.deepEqual(
    [ops?.["channel"], ops?.["outcome"], ops?.["code"], hook?.["outcome"]],
    ["ops", "failed", "notify.failed", "sent"],
  );
});

test("a secret that is not there is told by the channel's name", async () => {
  const { exitCode, stdout } = await comeback(["notify", "test", "ops"], { BOT_TOKEN: undefined });
  assert.equal(exitCode, 1);
  const text = stdout.replaceAll(/\s+/g, " ");
  assert.match(
    text,
    /the secret of the channel ops cannot be had: the variable BOT_TOKEN is not set/,
  );
});

test("a channel that is not there is refused with those that are", async () => {
  const { exitCode, stderr } = await comeback(["notify", "test", "oops"]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /no channel oops[^]*there is ops, hook/);
});

test("notify list shows the channels, and who tells them", async () => {
  const { stdout } = await comeback(["notify", "list"]);
  assert.match(stdout, /ops +telegram +info +all +- +shop\n/);
  const json = await comeback(["notify", "list", "--json"]);
  const listed = JSON.parse(json.stdout) as unknown[];
  assert.deepEqual(listed[1], {
    name: "hook",
    kind: "webhook",
    severity: "error",
    events: null,
    digest: null,
    plans: ["shop"],
  });
});
