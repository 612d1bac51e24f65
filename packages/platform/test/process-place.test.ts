import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { isProcessGone, ownProcessPlace } from "../src/process-place.ts";

test("the place of this process is what the kernel says, and its children's", () => {
  const place = ownProcessPlace();
  assert.deepEqual(place, {
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    pidNamespace: readlinkSync("/proc/self/ns/pid"),
  });
  const child = spawnSync("readlink", ["/proc/self/ns/pid"], { encoding: "utf8" });
  assert.equal(child.stdout.trim(), place?.pidNamespace);
});

test("a process that runs is there, one that has ended is gone", async () => {
  assert.equal(isProcessGone(process.pid), false);
  assert.equal(isProcessGone(process.ppid), false);
  assert.equal(isProcessGone(1), false, "another user's process, perhaps, but a process");
  assert.equal(isProcessGone(spawnSync("true").pid), true);
  const child = spawn("sleep", ["1000"]);
  const ended = new Promise((resolve) => child.on("close", resolve));
  try {
    assert.equal(isProcessGone(child.pid ?? 0), false);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
  assert.equal(isProcessGone(child.pid ?? 0), true);
});

test("one that has ended and that nobody waited for is gone", async () => {
  // The shell starts a child, tells its number, and becomes a program that waits for nobody.
  const script = "sleep 1000 & echo $!; exec sleep 1000";
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => parent.on("exit", resolve));
  try {
    const told = new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve));
    const pid = Number((await told).toString("utf8"));
    const comm = (): string => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim();
    while (comm() !== "sleep") await new Promise(setImmediate);
    assert.equal(isProcessGone(pid), false);
    process.kill(pid, "SIGKILL");
    while (!isProcessGone(pid)) await new Promise(setImmediate);
    assert.doesNotThrow(() => process.kill(pid, 0), "its number is still taken");
  } finally {
    parent.kill("SIGKILL");
    await ended;
  }
});

test("what is no process number is nobody's", () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) assert.equal(isProcessGone(pid), false);
});
