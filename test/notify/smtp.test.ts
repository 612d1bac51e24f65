import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { ComebackError } from "@comeback/core";
import { makeNotifier, type NotifierSettings } from "@comeback/notifiers";
import { systemCommandRunner } from "@comeback/platform";
import {
  notifierConformance,
  type NotifierFixture,
  sampleNotification,
  SimulatedClock,
} from "@comeback/testkit";
import { scratchFolder } from "../drivers/scratch.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { MailServer, type MailServerOptions } from "../services/mail/mail-server.ts";
import { makeCertificates } from "../services/rclone/certificates.ts";
import { headerOf, partOf, shownOf } from "./parse-mail.ts";

const PASSWORD = "a very secret password";
const LOGIN = { user: "backup@example.com", password: PASSWORD };
const certificates = makeCertificates(scratchFolder("smtp"));
const { signal } = new AbortController();
// As NODE_EXTRA_CA_CERTS does for the program.
const authority = readFileSync(certificates.authority.certificate, "utf8");
setDefaultCACertificates([...getCACertificates(), authority]);

type SmtpSettings = Extract<NotifierSettings<object>, { kind: "smtp" }>["settings"];

function smtp(port: number, given: Partial<SmtpSettings> = {}): NotifierSettings<object> {
  const settings = {
    host: "127.0.0.1",
    port,
    tls: "off",
    from: "Comeback <backup@example.com>",
    to: ["ops@example.com"],
    ...given,
  } as const;
  return { kind: "smtp", settings };
}

function notifierOf(
  settings: NotifierSettings<object>,
  { clock = new SimulatedClock(), password = PASSWORD } = {},
): ReturnType<typeof makeNotifier> {
  const resolveSecret = (): Promise<string> => Promise.resolve(password);
  return makeNotifier(settings, { fetch, runner: systemCommandRunner, clock, resolveSecret });
}

async function failureOf(sending: Promise<void>): Promise<ComebackError> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, "it did not fail");
  const { message, why, next, stack } = error as ComebackError;
  assert.ok(![message, why, next, stack].join("\n").includes(PASSWORD), "the password is told");
  return error as ComebackError;
}

async function smtpFixture(): Promise<NotifierFixture> {
  const server = await MailServer.start({
    login: LOGIN,
    tls: "implicit",
    certificate: certificates.server,
  });
  const clock = new SimulatedClock();
  const settings = smtp(server.port, { tls: "implicit", user: LOGIN.user, password: {} });
  return {
    notifier: notifierOf(settings, { clock }),
    clock,
    secrets: [PASSWORD],
    async shown() {
      await waitUntil("the mail is told of", () => server.taken.length > 0);
      return server.taken.map(({ content }) => shownOf(content));
    },
    next: (does) => server.next(does),
    arrival: () => server.arrival(),
    busyForMs: undefined,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

notifierConformance("smtp, against aiosmtpd", smtpFixture);

async function sendThrough(
  options: MailServerOptions,
  given: Partial<SmtpSettings>,
): Promise<MailServer> {
  const server = await MailServer.start(options);
  await notifierOf(smtp(server.port, given)).send(sampleNotification(), signal);
  await waitUntil("the mail is told of", () => server.taken.length === 1);
  return server;
}

test("a mail has a plain part, a table of facts, and what keeps machines from answering", async () => {
  await using server = await sendThrough({}, { to: ["a@example.com", "b@example.com"] });
  const [mail] = server.taken;
  assert.ok(mail);
  assert.deepEqual(mail.to, ["a@example.com", "b@example.com"]);
  assert.equal(mail.from, "backup@example.com");
  assert.match(
    partOf(mail.content, "text/plain"),
    /shop failed on web1\n\ncapture db:[^]*duration: 3 min 12 s/,
  );
  assert.match(partOf(mail.content, "text/html"), /<td[^>]*>plan<\/td><td[^>]*>shop<\/td>/);
  assert.equal(headerOf(mail.content, "auto-submitted"), "auto-generated");
});

const STARTTLS = { tls: "starttls", certificate: certificates.server, login: LOGIN } as const;

test("STARTTLS, and the password only behind it", async () => {
  const login = { tls: "required", user: LOGIN.user, password: {} } as const;
  await using server = await sendThrough(STARTTLS, login);
  assert.equal(server.taken[0]?.tls, true);
  assert.equal(server.taken[0]?.user, LOGIN.user);
});

test("`optional` takes TLS where there is any, and does without where there is none", async () => {
  await using secured = await sendThrough(
    { tls: "starttls", certificate: certificates.server },
    { tls: "optional" },
  );
  await using plain = await sendThrough({}, { tls: "optional" });
  assert.deepEqual([secured.taken[0]?.tls, plain.taken[0]?.tls], [true, false]);
});

test("`required` sends nothing to a server without TLS, and says what may be wrong", async () => {
  await using server = await MailServer.start();
  const notifier = notifierOf(smtp(server.port, { tls: "required" }));
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.next ?? "", /check `tls` and `port`/);
  assert.equal(error.retryable, false);
  assert.equal(server.taken.length, 0);
});

for (const wrong of ["expired", "elsewhere", "stranger"] as const) {
  test(`a certificate that is ${wrong} is not taken, in either way`, async () => {
    for (const tls of ["implicit", "starttls"] as const) {
      await using server = await MailServer.start({ tls, certificate: certificates[wrong] });
      const mode = tls === "implicit" ? "implicit" : "required";
      const notifier = notifierOf(smtp(server.port, { tls: mode }));
      const error = await failureOf(notifier.send(sampleNotification(), signal));
      assert.match(error.next ?? "", /NODE_EXTRA_CA_CERTS/, `${tls}: ${error.why}`);
      assert.equal(error.retryable, false);
      assert.equal(server.taken.length, 0);
    }
  });
}

test("a wrong password is told as one, and not tried again", async () => {
  await using server = await MailServer.start(STARTTLS);
  const settings = smtp(server.port, { tls: "required", user: LOGIN.user, password: {} });
  const notifier = notifierOf(settings, { password: "another" });
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.next ?? "", /check `user` and `password`/);
  assert.equal(error.retryable, false);
});

test("an address that is refused is named, and the others have the mail once", async () => {
  await using server = await MailServer.start();
  const notifier = notifierOf(smtp(server.port, { to: ["nobody@example.com", "ops@example.com"] }));
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /nobody@example\.com/);
  assert.equal(error.retryable, false);
  await waitUntil("the mail is told of", () => server.taken.length === 1);
  assert.deepEqual(server.taken[0]?.to, ["ops@example.com"]);
});

test("where nobody listens, it may be tried again", async () => {
  const error = await failureOf(notifierOf(smtp(1)).send(sampleNotification(), signal));
  assert.match(error.why ?? "", /ECONNREFUSED/);
  assert.equal(error.retryable, true);
});
