import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ComebackError, CommandRequest, CommandRunner } from "@comeback/core";
import { makeNotifier } from "@comeback/notifiers";
import { systemCommandRunner } from "@comeback/platform";
import {
  HttpStandIn,
  notifierConformance,
  type NotifierFixture,
  sampleNotification,
  SimulatedClock,
} from "@comeback/testkit";

const SECRET = "secret-of-the-url";
const { signal } = new AbortController();

/** What Apprise sends to a `json://` URL. */
interface AppriseMessage {
  readonly title: string;
  readonly message: string;
  readonly type: string;
}

function appriseOf(
  url: string,
  given: {
    readonly runner?: CommandRunner;
    readonly clock?: SimulatedClock;
    readonly command?: readonly [string, ...string[]];
  } = {},
): ReturnType<typeof makeNotifier> {
  const { runner = systemCommandRunner, clock = new SimulatedClock() } = given;
  const { command = ["/usr/bin/apprise"] } = given;
  return makeNotifier(
    { kind: "apprise", settings: { command, urls: [{}] } },
    { fetch, clock, runner, resolveSecret: () => Promise.resolve(url) },
  );
}

function jsonUrl({ url }: HttpStandIn): string {
  return `${url.replace("http://", "json://")}/${SECRET}`;
}

async function appriseFixture(): Promise<NotifierFixture> {
  const shown: string[] = [];
  const service = await HttpStandIn.start(({ path, body }) => {
    if (path.replace(/\/$/, "") !== `/${SECRET}`) return { status: 404 };
    const { title, message } = JSON.parse(body) as AppriseMessage;
    shown.push(`${title}\n${message}`);
    return { status: 200 };
  });
  const clock = new SimulatedClock();
  const refusal = { status: 400, body: SECRET };
  return {
    notifier: appriseOf(jsonUrl(service), { clock }),
    clock,
    secrets: [SECRET, jsonUrl(service)],
    shown: () => Promise.resolve(shown),
    next: (does) => service.answerNext(does === "silent" ? "silence" : refusal),
    arrival: () => service.arrival(),
    busyForMs: undefined,
    tellsWhy: false,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

notifierConformance("apprise, the program", appriseFixture);

test("no argument holds a URL, and the file that does is ours alone, and gone afterwards", async () => {
  await using service = await HttpStandIn.start(() => ({ status: 200 }));
  const seen: CommandRequest[] = [];
  const files: { readonly mode: number; readonly folder: number; readonly text: string }[] = [];
  const runner: CommandRunner = {
    stream: (request) => systemCommandRunner.stream(request),
    run(request) {
      seen.push(request);
      const path = request.argv.find((each) => each.startsWith("--config="))!.slice(9);
      files.push({
        mode: statSync(path).mode & 0o777,
        folder: statSync(join(path, "..")).mode & 0o777,
        text: readFileSync(path, "utf8"),
      });
      return systemCommandRunner.run(request);
    },
  };
  const before = ourFolders();
  await appriseOf(jsonUrl(service), { runner }).send(sampleNotification(), signal);
  assert.ok(!JSON.stringify([seen[0]?.argv, seen[0]?.env]).includes(SECRET));
  assert.deepEqual(files, [{ mode: 0o600, folder: 0o700, text: `${jsonUrl(service)}\n` }]);
  assert.deepEqual(ourFolders(), before);
  assert.equal((JSON.parse(service.requests[0]!.body) as AppriseMessage).type, "failure");
});

function ourFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("comeback-apprise-"));
}

test("a line for the shell gets all of it, too", async () => {
  await using service = await HttpStandIn.start(() => ({ status: 200 }));
  const command = ["/bin/sh", "-c", "LANG=C /usr/bin/apprise"] as const;
  const title = "it's $HOME; `true`";
  await appriseOf(jsonUrl(service), { command }).send(sampleNotification({ title }), signal);
  assert.equal((JSON.parse(service.requests[0]!.body) as AppriseMessage).title, title);
});

test("a program that is not there is told as that, and not tried again", async () => {
  const notifier = appriseOf("json://127.0.0.1:9/x", { command: ["/none/apprise"] });
  await assert.rejects(notifier.send(sampleNotification(), signal), (error: ComebackError) => {
    assert.match(error.next ?? "", /install apprise/);
    return error.code === "notify.failed" && !error.retryable;
  });
});

test("a secret that is no URL, or several, is refused before anything is run", async () => {
  for (const url of ["none", "json://a json://b", "json://a\njson://b"]) {
    await assert.rejects(appriseOf(url).send(sampleNotification(), signal), /did not take/);
  }
});
