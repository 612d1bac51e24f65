import assert from "node:assert/strict";
import { test } from "node:test";
import { isNameNotFound } from "@comeback/core";
import type { ComebackError, ErrorCode } from "@comeback/core";
import { explainEnd } from "../src/ssh-errors.ts";
import type { SshCommand } from "../src/ssh-command.ts";

const COMMAND: SshCommand = { program: "ssh", args: ["nas"], host: "nas", isOwn: false };

/** What OpenSSH 9.2 prints, and what has to come of it. */
const CASES: readonly [string, ErrorCode, boolean, RegExp][] = [
  [
    "No ED25519 host key is known for [127.0.0.1]:22 and you have requested strict checking.\r\n" +
      "Host key verification failed.\r\n",
    "backend.unknown-host",
    false,
    /fingerprint/,
  ],
  [
    "@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@\r\n" +
      "Host key verification failed.\r\n",
    "backend.changed-host",
    false,
    /administrator/,
  ],
  ["root@nas: Permission denied (publickey).\r\n", "backend.credentials", false, /ssh-copy-id/],
  [
    "Permissions 0644 for '/k' are too open.\r\nroot@nas: Permission denied (publickey).\r\n",
    "backend.credentials",
    false,
    /chmod 600/,
  ],
  [
    "ssh: Could not resolve hostname nas: Name or service not known\r\n",
    "backend.unreachable",
    false,
    /check the name/,
  ],
  [
    "ssh: Could not resolve hostname nas: Temporary failure in name resolution\r\n",
    "backend.unreachable",
    true,
    /network/,
  ],
  [
    "ssh: connect to host nas port 22: Connection refused\r\n",
    "backend.unreachable",
    true,
    /SSH server runs/,
  ],
  [
    "ssh: connect to host nas port 22: Connection timed out\r\n",
    "backend.unreachable",
    true,
    /ssh nas/,
  ],
  ["subsystem request failed on channel 0\r\n", "backend.misconfigured", false, /Subsystem/],
  ["/c: line 1: Bad configuration option: x\r\n", "option.invalid", false, /mend/],
  ["", "backend.unreachable", true, /ssh nas/],
  ["something new\u001b[31m\r\n", "backend.unreachable", true, /ssh nas/],
];

test("what ssh says becomes an error with a next step", () => {
  for (const [stderr, code, retryable, next] of CASES) {
    const error = explainEnd(COMMAND, { exitCode: 255, signal: null, stderr }, false);
    assert.equal(error.code, code, stderr);
    assert.equal(error.retryable, retryable, stderr);
    assert.match(error.next ?? "", next);
    assert.doesNotMatch(`${error.message}${error.why}`, /\p{Cc}/u);
  }
});

test("a name that nobody knows is told from one that cannot be asked for", () => {
  const said = (why: string): ComebackError => {
    const stderr = `ssh: Could not resolve hostname nas: ${why}\r\n`;
    return explainEnd(COMMAND, { exitCode: 255, signal: null, stderr }, false);
  };
  assert.ok(isNameNotFound(said("Name or service not known")));
  assert.ok(!isNameNotFound(said("Temporary failure in name resolution")));
});

test("a missing program is told from a server's refusal", () => {
  const end = { exitCode: 127, signal: null, stderr: "sh: 1: exec: ssh: not found\n" };
  const missing = explainEnd(COMMAND, end, false);
  assert.equal(missing.code, "backend.program-missing");
  assert.match(missing.next ?? "", /openssh-client/);
  const own = explainEnd({ ...COMMAND, program: "sshpass", isOwn: true }, end, false);
  assert.match(own.next ?? "", /sftp\.command/);
});

test("once a session ran, its end is a lost connection, whatever was said before", () => {
  const stderr = "Warning: Permission denied (something)\r\n";
  const error = explainEnd(COMMAND, { exitCode: 255, signal: null, stderr }, true);
  assert.equal(error.code, "backend.unreachable");
  assert.equal(error.retryable, true);
});
