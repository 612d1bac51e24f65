import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandRunner } from "@comeback/core";
import { hook, maintenance } from "@comeback/operations";
import { enterMaintenance, leaveMaintenance, runHooks } from "@comeback/operations/hooks";
import {
  listLeftOver,
  markedCommandRunner,
  undoExecutor,
  undoLeftOver,
  UndoStack,
} from "@comeback/operations/undo";
import { systemClock, systemCommandRunner } from "@comeback/platform";
import { scratchFolder } from "../drivers/scratch.ts";
import { SystemctlStandIn } from "../drivers/systemctl-stand-in.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { PodmanWithBusybox } from "../services/podman/podman.ts";

/** Real containers by podman; units by a stand-in for systemctl, since no systemd runs in a test. */
const podman = new PodmanWithBusybox();
Object.assign(process.env, podman.environment);
const state = scratchFolder("services");
let runs = 0;

function servicesWith(runner: CommandRunner = systemCommandRunner) {
  const resolveSecret = async () => "hidden";
  return {
    runner: markedCommandRunner(runner),
    fetch,
    resolveSecret,
    snapshotter: () => undefined,
  };
}

async function newStack(services = servicesWith()): Promise<UndoStack> {
  const executor = undoExecutor(services);
  const runId = `run-${++runs}`;
  return UndoStack.open({ stateFolder: state, runId, plan: "p", executor, clock: systemClock });
}

function entering(
  stack: UndoStack,
  enter: object[],
  { signal = new AbortController().signal, services = servicesWith() } = {},
) {
  return enterMaintenance(stack, maintenance.parse({ enter }), {
    services,
    signal,
    clock: systemClock,
  });
}

test("containers that run are stopped, and only those are started again", async () => {
  podman.start("web");
  podman.start("idle");
  podman.run("stop", "idle");
  await using stack = await newStack();
  const window = await entering(stack, [{ container: { stop: ["idle", "web"] } }]);
  assert.deepEqual(
    ["web", "idle"].map((name) => podman.stateOf(name)),
    ["exited", "exited"],
  );
  await leaveMaintenance(stack, window);
  assert.deepEqual(
    ["web", "idle"].map((name) => podman.stateOf(name)),
    ["running", "exited"],
  );
});

test("a container is paused, and goes on", async () => {
  podman.start("paused");
  const startedAt = podman.startedAt("paused");
  await using stack = await newStack();
  const window = await entering(stack, [{ container: { pause: "paused" } }]);
  assert.equal(podman.stateOf("paused"), "paused");
  await leaveMaintenance(stack, window);
  assert.equal(podman.stateOf("paused"), "running");
  assert.equal(podman.startedAt("paused"), startedAt);
});

test("a command runs in a container, and sees the facts", async () => {
  podman.start("shop");
  const { signal } = new AbortController();
  const check =
    'test "$COMEBACK_PLAN" = p && test "$TOKEN" = hidden && read line && test -n "$line"';
  const run = (command: string) => {
    const settings = hook.parse({
      on: "start",
      container: { exec: { container: "shop", command } },
      environment: { TOKEN: { env: "X" } },
    });
    const services = servicesWith();
    const options = { when: "start", facts: { plan: "p" }, clock: systemClock, services } as const;
    return runHooks({ ...options, hooks: [settings], signal });
  };
  const [outcome] = await run(check);
  assert.deepEqual([outcome?.outcome, outcome?.message], ["ok", undefined]);
  const [skipped] = await run("exit 75");
  assert.equal(skipped?.outcome, "skipped", String(skipped?.message));
});

test("a stop that is interrupted ends with the container running again", async () => {
  podman.start("slow", 1);
  const startedAt = podman.startedAt("slow");
  const controller = new AbortController();
  // The engine's program is gone once the container has been told to end, and before it has.
  const runner: CommandRunner = {
    ...systemCommandRunner,
    run(request) {
      const running = systemCommandRunner.run(request);
      if (request.argv[1] === "stop") {
        void waitUntil("it is stopping", () => podman.stateOf("slow") === "stopping").then(() =>
          controller.abort(new Error("interrupted")),
        );
      }
      return running;
    },
  };
  await using stack = await newStack();
  const { signal } = controller;
  const services = servicesWith(runner);
  await assert.rejects(entering(stack, [{ container: { stop: "slow" } }], { signal, services }), {
    message: "interrupted",
  });
  assert.equal(podman.stateOf("slow"), "running");
  assert.notEqual(podman.startedAt("slow"), startedAt, "it was stopped to the end, and started");
});

test("what a killed run stopped is started at the next start; one that was removed is not", async () => {
  podman.start("left");
  podman.start("removed");
  {
    // As if killed: the undoing of this run fails, and its journal stays.
    const stack = await newStack({
      ...servicesWith(),
      runner: { ...systemCommandRunner, run: () => Promise.reject(new Error("killed")) },
    });
    await entering(stack, [{ container: { stop: ["left", "removed"] } }]);
    await assert.rejects(stack[Symbol.asyncDispose](), { code: "undo.incomplete" });
  }
  assert.equal(podman.stateOf("left"), "exited");
  podman.run("rm", "removed");
  const executorFor = async () => undoExecutor(servicesWith());
  const options = { executorFor, clock: systemClock };
  const [report] = await undoLeftOver(await listLeftOver(state), options);
  assert.deepEqual(report?.failed, []);
  assert.equal(podman.stateOf("left"), "running");
});

test("a container that is not there is named, and nothing is done", async () => {
  podman.start("there");
  await using stack = await newStack();
  await assert.rejects(entering(stack, [{ container: { stop: ["there", "typo"] } }]), {
    code: "action.failed",
    message: "there is no container typo",
  });
  assert.equal(podman.stateOf("there"), "running");
});

test("units that are active are stopped and started again (stand-in)", async () => {
  const systemctl = new SystemctlStandIn(scratchFolder("units"));
  process.env["PATH"] = `${systemctl.programs}:${process.env["PATH"]}`;
  systemctl.setUnit("shop.service", "active");
  systemctl.setUnit("old.service", "failed");
  await using stack = await newStack();
  const stop = ["shop.service", "old.service"];
  const window = await entering(stack, [{ systemd: { stop } }]);
  assert.equal(systemctl.stateOf("shop.service"), "inactive");
  await leaveMaintenance(stack, window);
  assert.equal(systemctl.stateOf("shop.service"), "active");
  assert.equal(systemctl.stateOf("old.service"), "failed");
  assert.deepEqual(
    systemctl.calls.filter((call) => !call.startsWith("show")),
    ["stop shop.service", "start shop.service"],
  );
  await assert.rejects(entering(stack, [{ systemd: { stop: "typo.service" } }]), {
    code: "action.failed",
    message: "there is no unit typo.service",
  });
  systemctl.stopSystemd();
  await assert.rejects(entering(stack, [{ systemd: { stop: "shop.service" } }]), {
    code: "platform.unsupported",
    why: /not been booted with systemd/,
  });
});
