import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ComebackError, SFTP_SILENCE_MAX_MS, SFTP_START_MAX_MS } from "@comeback/core";
import { SimulatedClock } from "@comeback/testkit";
import { SftpSession } from "../src/sftp-session.ts";
import { hasStatus } from "../src/sftp-status-error.ts";

const LOOK_MS = 5_000;

/** A session with a server that answers so many packets. */
function start(answers: number, clock: SimulatedClock, mayAsk = false): Promise<SftpSession> {
  const script = fileURLToPath(new URL("silent-server.ts", import.meta.url));
  const args = [script, String(answers)];
  const command = { program: process.execPath, args, host: "far-away", isOwn: true };
  const options = { command, env: process.env, mayAsk, clock };
  return SftpSession.start(options, new AbortController().signal);
}

function isSilence(error: unknown): boolean {
  assert.ok(error instanceof ComebackError, String(error));
  assert.equal(error.code, "backend.unreachable");
  assert.equal(error.retryable, true);
  assert.match(error.message, /far-away does not answer any more/);
  return true;
}

const isMissing = (error: unknown): boolean => hasStatus(error, "noSuchFile");

test("a server that goes silent is given up after the limit, and not before", async () => {
  const clock = new SimulatedClock();
  // The greeting, what a session asks at its start, and one more.
  const session = await start(3, clock);
  await assert.rejects(session.client.stat("a"), isMissing);
  // Without an open question it may be silent as long as it likes.
  await clock.advance(2 * SFTP_SILENCE_MAX_MS);
  assert.ok(session.isAlive);

  const [asked, asked2] = [session.client.stat("b"), session.client.stat("c")];
  const rejected = Promise.all([
    assert.rejects(asked, isSilence),
    assert.rejects(asked2, isSilence),
  ]);
  await clock.advance(SFTP_SILENCE_MAX_MS - LOOK_MS);
  assert.ok(session.isAlive);
  await clock.advance(3 * LOOK_MS);
  await rejected;
  assert.ok(!session.isAlive);
  await assert.rejects(session.client.stat("d"), isSilence);
  assert.equal(clock.sleeping, 0);
  await session[Symbol.asyncDispose]();
});

test("a server that never says who it is is given up, where nobody can be asked", async () => {
  const clock = new SimulatedClock();
  const rejected = assert.rejects(start(0, clock), isSilence);
  await clock.advance(SFTP_START_MAX_MS - LOOK_MS);
  assert.equal(clock.sleeping, 1);
  await clock.advance(3 * LOOK_MS);
  await rejected;
});
