import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { PASSWORD } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { Podman } from "../services/podman/podman.ts";

/**
 * The image of the Containerfile, on a Debian of our own (test/services/debian) instead of a registry's,
 * and the daemon in it.
 */
const CHECKOUT = join(import.meta.dirname, "../..");
const BASE = "localhost/comeback-debian";
const BUILD_BASE = "localhost/comeback-npm";
const IMAGE = "localhost/comeback";

const podman = new Podman();
const folder = scratchFolder("container");
const at = (name: string): string => join(folder, name);

function npm(...args: readonly string[]): string {
  return execFileSync("npm", args, { encoding: "utf8" }).trim();
}

/** A Debian with this machine's npm and the Node of the checkout: what node's own image is to others. */
function makeBuildBase(): void {
  const context = makeFolder(folder, "npm");
  const program = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
  // <npm>/bin/npm-cli.js
  cpSync(dirname(dirname(realpathSync(program))), join(context, "npm"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(context, "node"));
  writeFileSync(
    join(context, "Containerfile"),
    `FROM ${BASE}
COPY npm /usr/local/lib/npm
COPY node /usr/local/bin/node
RUN ln -s ../lib/npm/bin/npm-cli.js /usr/local/bin/npm
`,
  );
  podman.run("build", "-q", "-t", BUILD_BASE, context);
}

/** How this machine reaches npm's registry; nothing of it stays in the image. */
function npmFromHere(): string[] {
  const cafile = npm("config", "get", "cafile");
  const lines = [`registry=${npm("config", "get", "registry")}`, "prefer-offline=true"];
  if (cafile !== "null") lines.push("cafile=/run/certificates.pem");
  writeFileSync(at("npmrc"), `${lines.join("\n")}\n`);
  return [
    "-v",
    `${at("npmrc")}:/root/.npmrc:ro`,
    "-v",
    `${npm("config", "get", "cache")}:/root/.npm`,
    ...(cafile === "null" ? [] : ["-v", `${cafile}:/run/certificates.pem:ro`]),
  ];
}

before(() => {
  podman.importDebian(BASE);
  makeBuildBase();
  const bases = ["--build-arg", `BASE=${BASE}`, "--build-arg", `BUILD_BASE=${BUILD_BASE}`];
  podman.run(
    "build",
    "--layers=false",
    "--network",
    "host",
    ...bases,
    ...npmFromHere(),
    "-t",
    IMAGE,
    CHECKOUT,
  );
});

function start(name: string): void {
  const mounts = [
    "-v",
    `${at("data")}:/srv/data:ro`,
    "-v",
    `${at("nas")}:/srv/nas`,
    "-v",
    `${at("etc")}:/etc/comeback:ro`,
    "-v",
    "comeback-state:/var/lib/comeback",
  ];
  podman.run("run", "-d", "--name", name, "--stop-timeout", "200", ...mounts, IMAGE);
}

const comeback = (name: string, ...args: readonly string[]): string =>
  podman.run("exec", name, "comeback", ...args);

test("the image has Debian, our Node and the program, and nothing of what it was built with", () => {
  const inImage = (...argv: readonly string[]): string =>
    podman.run("run", "--rm", "--entrypoint", argv[0] ?? "", IMAGE, ...argv.slice(1));
  const { optionalDependencies } = JSON.parse(
    readFileSync(join(CHECKOUT, "package.json"), "utf8"),
  ) as { optionalDependencies: Record<string, string> };
  const versions = new Set(Object.values(optionalDependencies));
  const node = inImage("sh", "-c", "/opt/comeback/node_modules/node-linux-*/bin/node --version");
  assert.ok(versions.has(node.slice(1)), node);
  assert.equal(inImage("sh", "-c", "command -v npm node || echo neither"), "neither");
  // What was mounted while it was built has left empty names.
  const left = "find /build /root/.npm /root/.npmrc -type f -size +0 2>/dev/null || true";
  assert.equal(inImage("sh", "-c", left), "");
});

test("a scheduled run, its state over a restart, metrics, a graceful end, and the bytes back", async () => {
  const [port] = await freePorts(1);
  writeFileSync(join(makeFolder(folder, "data"), "file"), "precious");
  await makeQuickRepository(at("nas"));
  makeFolder(folder, "etc");
  writeFileSync(at("etc/key"), `${PASSWORD}\n`, { mode: 0o600 });
  writeFileSync(
    at("etc/comeback.yaml"),
    `host: web1
daemon: { metrics: { listen: "127.0.0.1:${port}" } }
destinations:
  nas: { repo: /srv/nas, password: { file: /etc/comeback/key } }
plans:
  files: { schedule: "* * * * *", sources: { data: { files: /srv/data } }, to: nas }
`,
  );
  start("first");
  await waitUntil("a scheduled run has ended", () =>
    / ended: ok /.test(podman.run("logs", "first")),
  );
  assert.match(comeback("first", "status"), /files/);
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.match(page, /^comeback_runs_total\{plan="files",outcome="ok"\} [1-9]/m);

  podman.run("stop", "first");
  assert.equal(podman.run("inspect", "--format", "{{.State.ExitCode}}", "first"), "0");
  const seen = JSON.parse(podman.run("run", "--rm", ...historyOf())) as { outcome?: string }[];
  assert.ok(seen.some(({ outcome }) => outcome === "ok"));

  start("second");
  const restore = [
    "-r",
    "nas",
    "restore",
    "latest",
    "--path",
    "/srv/data",
    "--target",
    "/tmp/back",
  ];
  comeback("second", ...restore);
  assert.equal(podman.run("exec", "second", "cat", "/tmp/back/srv/data/file"), "precious");
});

function historyOf(): string[] {
  const mounts = ["-v", `${at("etc")}:/etc/comeback:ro`, "-v", "comeback-state:/var/lib/comeback"];
  return [...mounts, IMAGE, "history", "--json"];
}
