import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { listLeftOver } from "@comeback/operations/undo";
import { Client, PASSWORD } from "../drivers/client.ts";
import { processTree } from "../drivers/process-tree.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type Running, startProgram } from "../drivers/run-program.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/** A daemon whose run has brought a service to rest, and that is killed with all that it started. */
const folder = memoryFolder("daemon-kill");
const at = (name: string): string => join(folder, name);
const { environment } = new Client(COMEBACK, at("nas"));
const running = new Set<Running>();
after(() => {
  for (const { pid } of running) for (const one of processTree(pid)) end(one.pid);
});

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function startDaemon(): Running {
  const args = ["--config", at("comeback.yaml"), "daemon"];
  const daemon = startProgram(COMEBACK.command, args, { env: environment, mayRunOn: true });
  running.add(daemon);
  return daemon;
}

/** Kills a daemon and everything below it, the watchdog only where it is to go as well. */
async function killTree(daemon: Running, { watchdog }: { watchdog: boolean }): Promise<void> {
  const tree = processTree(daemon.pid);
  const isWatchdog = ({ command }: { command: string }): boolean => / watchdog /.test(command);
  assert.ok(tree.some(isWatchdog), tree.map(({ command }) => command).join("\n"));
  // It first: it would not wait for the others' end to be complete.
  if (watchdog) for (const { pid } of tree.filter(isWatchdog)) end(pid);
  for (const { pid } of tree.filter((one) => !isWatchdog(one))) end(pid);
  await daemon.finished;
  running.delete(daemon);
}

const isAtRest = (): boolean => existsSync(at("flag"));

test("what a killed daemon's run left is undone by the watchdog, or at the next start", async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(at("key"), `${PASSWORD}\n`, { mode: 0o600 });
  await makeQuickRepository(at("nas"));
  writeFileSync(
    at("comeback.yaml"),
    `state: ${at("state")}
host: web1
destinations:
  nas: { repo: ${at("nas")}, password: { file: ${at("key")} } }
plans:
  shop:
    schedule: "* * * * *"
    maintenance:
      enter: [{ command: touch ${at("flag")}, undo: { command: rm -f ${at("flag")} } }]
      timeout: 10m
    sources:
      slow: { command: { run: echo begun; sleep 600, filename: dump } }
    to: nas
`,
    { mode: 0o600 },
  );
  const first = startDaemon();
  await waitUntil("the service is at rest", isAtRest);
  await killTree(first, { watchdog: true });
  assert.ok(isAtRest(), "nobody was left to bring it back");
  assert.equal((await listLeftOver(at("state"))).length, 1);

  const second = startDaemon();
  await waitUntil("the next start brings it back", () => !isAtRest());
  await waitUntil("its run brings it to rest again", isAtRest);
  await killTree(second, { watchdog: false });
  await waitUntil("the watchdog brings it back", () => !isAtRest());
  await waitUntil("nothing is left over", async () => {
    return (await listLeftOver(at("state"))).length === 0;
  });
});
