import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { isComebackError } from "@comeback/core";
import { loadConfiguration } from "@comeback/operations";
import { findConfiguration } from "@comeback/operations/find-configuration";
import { load, problemsOf, ScratchFolder, VALID } from "./scratch.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());

test("a configuration becomes settings in the code's words", async () => {
  const path = scratch.write("plain/comeback.yaml", VALID);
  const { configuration, files, positionOf } = await load(path);
  const shop = configuration.plans["shop"]!;
  assert.deepEqual(files, [path]);
  assert.deepEqual(shop.to, ["nas"]);
  assert.equal(shop.schedule?.triggers.incremental, "daily 02:00");
  assert.equal(shop.sources["content"]?.kind, "files");
  assert.deepEqual(shop.sources["db"]?.retries, { count: 2, pause: 30_000 });
  assert.equal(configuration.destinations["nas"]?.retryLock, 600_000);
  assert.equal(configuration.keepHistory, 730 * 24 * 3600 * 1000);
  assert.deepEqual(positionOf(["plans", "shop", "to", 0]), { file: path, line: 17, column: 9 });
  assert.deepEqual(positionOf(["plans", "shop", "timeout"]), { file: path, line: 12, column: 3 });
  assert.deepEqual(positionOf(["nothing", "here"]), { file: path, line: 1, column: 1 });
});

test("files are included by patterns, in the order of their names, with their own positions", async () => {
  const path = scratch.write("many/comeback.yaml", `include: conf.d/*.yaml\n${VALID}`);
  const plan = (name: string): string =>
    `plans:\n  ${name}:\n    to: nas\n    sources: { a: { files: /${name} } }\n`;
  const b = scratch.write("many/conf.d/b.yaml", plan("b"));
  const a = scratch.write("many/conf.d/a.yaml", plan("a"));
  scratch.write("many/conf.d/not.yml", "a: [");
  const { configuration, files, positionOf } = await load(path);
  assert.deepEqual(files, [path, a, b]);
  assert.deepEqual(Object.keys(configuration.plans), ["shop", "a", "b"]);
  assert.deepEqual(positionOf(["plans", "b", "to"]), { file: b, line: 3, column: 9 });

  scratch.write("many/conf.d/b.yaml", plan("b").replace("to:", "ot:"));
  const [problem] = await problemsOf(path);
  assert.deepEqual([problem?.file, problem?.line, problem?.suggestion], [b, 3, "to"]);
});

test("cycles, files that come twice, and names that are said twice are refused", async () => {
  const root = scratch.write("circle/comeback.yaml", `include: [other.yaml]\n${VALID}`);
  scratch.write("circle/other.yaml", "include: comeback.yaml\n");
  assert.match((await problemsOf(root))[0]!.message, /comeback\.yaml is included by itself/);

  scratch.write("circle/other.yaml", "include: ['*.yaml']\n");
  const [first, second] = await problemsOf(root);
  assert.match(first!.message, /included by itself/);
  assert.match(second!.message, /other\.yaml is included by itself/);

  symlinkSync("other.yaml", join(scratch.path, "circle/link.yaml"));
  scratch.write("circle/comeback.yaml", `include: [other.yaml, link.yaml]\n${VALID}`);
  scratch.write("circle/other.yaml", "channels: { more: { ping: { url: http://x } } }\n");
  assert.match((await problemsOf(root))[0]!.message, /link\.yaml is included twice/);

  scratch.write("circle/comeback.yaml", `include: other.yaml\n${VALID}`);
  scratch.write("circle/other.yaml", "channels:\n  ops: { ping: { url: http://x } }\n");
  const [twice] = await problemsOf(root);
  assert.match(twice!.message, /^"ops" is said already at .*comeback\.yaml:11:3$/);
  assert.deepEqual([twice!.line, twice!.column], [2, 3]);

  scratch.write("circle/other.yaml", "host: a\n");
  scratch.write("circle/comeback.yaml", `include: other.yaml\nhost: b\n${VALID}`);
  assert.match((await problemsOf(root))[0]!.message, /^"host" is said already/);

  scratch.write("circle/comeback.yaml", `include: nothing.yaml\n${VALID}`);
  const [missing] = await problemsOf(root);
  assert.match(missing!.message, /nothing\.yaml cannot be read: ENOENT/);
  assert.deepEqual([missing!.line, missing!.column], [1, 10]);
});

test("defaults are put under each of their kind", async () => {
  const path = scratch.write(
    "defaults/comeback.yaml",
    `defaults:
  destination:
    password: { file: /etc/key }
    mount: { point: /mnt/nas, wait: 1m }
    keep: { daily: 7 }
  plan:
    to: nas
    tags: [a, b]
    schedule: { jitter: 5m, timezone: Europe/Vienna }
  source:
    retries: { count: 3 }
    files: { exclude: ["*.tmp"] }
    postgres: { globals: false }
  channel:
    severity: warning
    smtp: { from: me@example.com, to: you@example.com, host: mail }
destinations:
  nas: { repo: /mnt/nas/x, mount: { wait: 2m }, keep: { last: 2 } }
  other: { repo: /mnt/nas/y, password: { env: P }, mount: ~, keep: }
channels:
  mail: { smtp: { port: 25 } }
  push: { ntfy: { topic: x }, severity: error }
plans:
  one:
    schedule: daily 03:00
    tags: [c]
    sources:
      a: { files: /a }
      b: { files: { paths: [/b], exclude: [x] }, retries: { pause: 1m } }
      c: { postgres: {} }
`,
  );
  const { configuration, positionOf } = await load(path);
  const { nas, other } = configuration.destinations;
  assert.deepEqual(nas?.mount, { point: "/mnt/nas", wait: 120_000 });
  assert.equal(nas?.keep?.last, 2);
  assert.equal(nas?.keep?.counts?.daily, 7);
  assert.deepEqual(other?.password, { env: "P" });
  assert.equal(other?.mount, undefined);
  assert.equal(other?.keep, undefined);
  const one = configuration.plans["one"]!;
  assert.deepEqual(one.tags, ["c"]);
  assert.deepEqual(one.to, ["nas"]);
  assert.equal(one.schedule?.jitter, 300_000);
  assert.equal(one.schedule?.triggers.incremental, "daily 03:00");
  const { a, b, c } = one.sources;
  assert.ok(a?.kind === "files" && b?.kind === "files" && c?.kind === "postgres");
  assert.deepEqual([a.settings.paths, a.settings.exclude], [["/a"], ["*.tmp"]]);
  assert.deepEqual([b.settings.exclude, b.retries], [["x"], { count: 3, pause: 60_000 }]);
  assert.equal(c.settings.globals, false);
  const { mail, push } = configuration.channels;
  assert.ok(mail?.kind === "smtp" && push?.kind === "ntfy");
  assert.deepEqual([mail.settings.port, mail.severity, push.severity], [25, "warning", "error"]);
  assert.equal(positionOf(["destinations", "nas", "keep", "daily"]).line, 5);
});

test("a mistake in the defaults is told once, where it is", async () => {
  const text = `defaults: { destination: { compresion: max } }\n${VALID}`;
  const problems = await problemsOf(scratch.write("once/comeback.yaml", text));
  assert.deepEqual(
    problems.map(({ line, suggestion }) => [line, suggestion]),
    [[1, "compression"]],
  );
});

test("anchors and << are followed", async () => {
  const text = VALID.replace("keep: { last: 2, daily: 15 }", "keep: &k { last: 2, daily: 15 }")
    .replace("keep: { monthly: 12 }", "keep: { monthly: 12, last: 9 }")
    .concat("  more:\n    to: cloud\n    sources: { a: { files: /a } }\n")
    .concat("    keep: { <<: *k, last: 3 }\n");
  const { configuration } = await load(scratch.write("anchors/comeback.yaml", text));
  assert.equal(configuration.plans["more"]?.keep?.last, 3);
  assert.equal(configuration.plans["more"]?.keep?.counts?.daily, 15);
});

test("the file is looked for in its places", async () => {
  const home = join(scratch.path, "home");
  const env = { HOME: home, XDG_CONFIG_HOME: "" };
  mkdirSync(home);
  const { signal } = new AbortController();
  await assert.rejects(loadConfiguration({ env, signal }), (error) => {
    assert.ok(isComebackError(error, "configuration.missing"));
    assert.match(error.why ?? "", /home\/\.config\/comeback\/comeback\.yaml/);
    return true;
  });
  const path = scratch.write("home/.config/comeback/comeback.yaml", VALID);
  assert.equal(await findConfiguration({ env }), path);
  assert.equal(await findConfiguration({ env: { ...env, COMEBACK_CONFIG: "/x" } }), "/x");
  assert.equal(await findConfiguration({ env, path: "/y" }), "/y");
  await assert.rejects(loadConfiguration({ env, path: "/nothing/here", signal }), (error) =>
    isComebackError(error, "configuration.missing"),
  );
});

test("what is no text, empty, or too long is refused as such", async () => {
  const path = scratch.write("odd/comeback.yaml", "");
  assert.match((await problemsOf(path))[0]!.message, /the file is empty/);
  scratch.write("odd/comeback.yaml", "- a\n");
  assert.match((await problemsOf(path))[0]!.message, /found a list; a mapping/);
  scratch.write("odd/comeback.yaml", `# ${"x".repeat(1024 * 1024)}\n`);
  assert.match((await problemsOf(path))[0]!.message, /1048576 bytes at most/);
  scratch.write(
    "odd/comeback.yaml",
    Buffer.from("plans:\n  \xffx: {}\n", "latin1").toString("latin1"),
  );
  assert.ok((await problemsOf(path)).length > 0);
});
