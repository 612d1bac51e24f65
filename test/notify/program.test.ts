import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Finished, startProgram } from "../drivers/run-program.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { MailServer } from "../services/mail/mail-server.ts";
import { makeCertificates } from "../services/rclone/certificates.ts";

const scratch = scratchFolder("notify");
const certificates = makeCertificates(scratch);
const LOGIN = { user: "backup@example.com", password: "a very secret password" };

function notifyTest(port: number, env: NodeJS.ProcessEnv): Promise<Finished> {
  const path = join(scratch, "comeback.yaml");
  const channel = `host: localhost, port: ${port}, from: ${LOGIN.user}, to: ops@example.com`;
  const login = `user: ${LOGIN.user}, password: { env: MAIL_PASSWORD }`;
  const channels = `channels: { mail: { smtp: { ${channel}, ${login} } } }`;
  writeFileSync(path, `destinations: {}\nplans: {}\n${channels}\n`, { mode: 0o600 });
  const args = [...COMEBACK.flags, "--config", path, "notify", "test"];
  const own = { MAIL_PASSWORD: LOGIN.password, NODE_EXTRA_CA_CERTS: undefined };
  return startProgram(COMEBACK.command, args, { env: { ...own, ...env } }).finished;
}

test("an authority of one's own is named by NODE_EXTRA_CA_CERTS, and nothing goes without", async () => {
  const tls = { tls: "starttls", certificate: certificates.server, login: LOGIN } as const;
  await using server = await MailServer.start(tls);
  const unknown = await notifyTest(server.port, {});
  assert.equal(unknown.exitCode, 1, unknown.describe());
  assert.match(
    unknown.stdout.toString().replaceAll(/\s+/g, " "),
    /failed mail.*NODE_EXTRA_CA_CERTS/,
  );
  assert.ok(!unknown.describe().includes(LOGIN.password));
  const known = await notifyTest(server.port, {
    NODE_EXTRA_CA_CERTS: certificates.authority.certificate,
  });
  assert.equal(known.exitCode, 0, known.describe());
  await waitUntil("the mail is told of", () => server.taken.length === 1);
  assert.equal(server.taken[0]?.user, LOGIN.user);
});
