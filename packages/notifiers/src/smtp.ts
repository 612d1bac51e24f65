import { connect, type Socket } from "node:net";
import {
  isComebackError,
  type Notification,
  type Notifier,
  NOTIFY_TIMEOUT_MS,
} from "@comeback/core";
import { cutText } from "./cut-text.ts";
import { escapeHtml } from "./escape-html.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { oneLine, shownFacts, textLines } from "./render-text.ts";
import { channelNotifier, type Sending } from "./sending.ts";

/** A subject of more is cut by those who show it. */
const SUBJECT_MAX_CHARS = 200;
const BODY_MAX_CHARS = 64 * 1024;

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: "implicit" | "required" | "optional" | "off";
  readonly user: string | undefined;
  readonly password: SecretText | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

export function smtpNotifier(settings: SmtpSettings, world: NotifierWorld): Notifier {
  return channelNotifier("smtp", world, async (notification, sending) => {
    const { user } = settings;
    const password = settings.password && (await sending.secret(settings.password));
    // Of no use to those who have no mail.
    const { createTransport } = await import("nodemailer");
    using line = new Line(settings, sending.signal);
    const transport = createTransport({
      host: settings.host,
      port: settings.port,
      secure: settings.tls === "implicit",
      requireTLS: settings.tls === "required",
      ignoreTLS: settings.tls === "off",
      ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
      // A message is ours alone: it names no file and no address to be loaded into it.
      disableFileAccess: true,
      disableUrlAccess: true,
      connectionTimeout: NOTIFY_TIMEOUT_MS,
      greetingTimeout: NOTIFY_TIMEOUT_MS,
      socketTimeout: NOTIFY_TIMEOUT_MS,
      getSocket: (_options, callback) => line.open(callback),
    });
    try {
      const { rejected } = await transport.sendMail(mailOf(notification, settings));
      if (rejected.length === 0) return;
      const whom = rejected.join(", ");
      // The others have it: sent again, they would have it twice.
      const next = "check their addresses; the others have got it";
      throw sending.failed(`the server takes nothing for ${whom}`, { next });
    } catch (error) {
      sending.signal.throwIfAborted();
      throw isComebackError(error) ? error : refused(error, sending);
    } finally {
      transport.close();
    }
  });
}

/** The connection of one message, which ends at an abort, too. */
class Line {
  readonly #settings: Pick<SmtpSettings, "host" | "port">;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => {
    this.#socket?.destroy();
  };
  #socket: Socket | undefined;

  constructor(settings: Pick<SmtpSettings, "host" | "port">, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  open(callback: (error: Error | null, options?: { readonly connection: Socket }) => void): void {
    const { host, port } = this.#settings;
    const socket = connect({ host, port });
    this.#socket = socket;
    const onEarlyEnd = (error?: Error | boolean): void => {
      callback(error instanceof Error ? error : new Error("the connection was closed"));
    };
    socket.once("error", onEarlyEnd);
    socket.once("close", onEarlyEnd);
    socket.once("connect", () => {
      socket.off("error", onEarlyEnd);
      socket.off("close", onEarlyEnd);
      callback(null, { connection: socket });
    });
    if (this.#signal.aborted) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#socket?.destroy();
  }
}

function mailOf(notification: Notification, { from, to }: SmtpSettings): object {
  const { severity, event } = notification;
  const title = oneLine(notification.title);
  const body = cutText(textLines(notification).join("\n"), BODY_MAX_CHARS);
  const facts = shownFacts(notification);
  const table = facts.map(([key, value]) => `${key}: ${value}`).join("\n");
  return {
    from,
    to: [...to],
    subject: cutText(title, SUBJECT_MAX_CHARS),
    text: [title, body, table].filter((part) => part !== "").join("\n\n"),
    html: htmlOf(title, body, facts),
    date: new Date(notification.atMs),
    headers: {
      // Nobody's holiday answers to it (RFC 3834).
      "Auto-Submitted": "auto-generated",
      "X-Comeback-Event": event,
      ...(severity === "error" ? { Importance: "high" } : {}),
    },
  };
}

function htmlOf(
  title: string,
  body: string,
  facts: readonly (readonly [string, string])[],
): string {
  const cell = (text: string): string =>
    `<td style="padding:2px 12px 2px 0">${escapeHtml(text)}</td>`;
  const rows = facts.map(([key, value]) => `<tr>${cell(key)}${cell(value)}</tr>`);
  return [
    "<!doctype html>",
    `<h3>${escapeHtml(title)}</h3>`,
    `<p>${escapeHtml(body).replaceAll("\n", "<br>\n")}</p>`,
    ...(rows.length === 0 ? [] : ["<table>", ...rows, "</table>"]),
  ].join("\n");
}

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
  readonly message: string;
}

function refused(thrown: unknown, sending: Sending): Error {
  const { code = "", responseCode, response, message } = thrown as SmtpError;
  if (/certificate|altnames|self.signed/i.test(message)) {
    return sending.failed(message, {
      next: "check the server's certificate and name; an authority of your own goes into the file that NODE_EXTRA_CA_CERTS names",
    });
  }
  if (code === "ETLS") {
    return sending.failed(message, {
      next: "check `tls` and `port`: 465 is `implicit`, 587 is `required`",
    });
  }
  if (responseCode !== undefined && responseCode >= 400) {
    const isForNow = responseCode < 500;
    const next = isForNow
      ? "see what the mail server says; what is to be told is sent again"
      : code === "EAUTH"
        ? "check `user` and `password`; some providers want a password made for programs"
        : "check `from` and `to` against what the mail server says";
    return sending.failed(oneLine(response ?? message), { next, retryable: isForNow });
  }
  if (code === "EAUTH") {
    return sending.failed(message, {
      next: "check `user` and `password`, and whether it takes any",
    });
  }
  if (code === "EENVELOPE" || code === "EMESSAGE") {
    return sending.failed(message, { next: "check the addresses in `from` and `to`" });
  }
  return sending.failed(oneLine(message), {
    next: "check `host` and `port`, and the way there",
    retryable: true,
  });
}
