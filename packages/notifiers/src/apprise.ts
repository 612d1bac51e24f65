import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isComebackError, type Notification, type Notifier } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine } from "./render-text.ts";
import { channelNotifier, type Sending } from "./sending.ts";

/** Apprise itself cuts, or sends in parts, what is too long for where it goes. */
const TITLE_MAX_CHARS = 250;
const BODY_MAX_CHARS = 30_000;
const TYPES = { info: "info", warning: "warning", error: "failure" } as const;

/**
 * Apprise, by its command. Everybody can see arguments, so its URLs go through a file that only we
 * can read, in a folder that only we can enter, and the text through its standard input.
 */
export function appriseNotifier(
  settings: {
    readonly command: readonly [string, ...string[]];
    readonly urls: readonly SecretText[];
  },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("apprise", world, async (notification, sending) => {
    const urls = await Promise.all(settings.urls.map((url) => sending.secret(url)));
    if (urls.some((url) => /\s/.test(url.trim()) || !url.includes("://"))) {
      const next = "write one URL into each secret: `urls` is a list";
      throw sending.failed("one of its URLs is none", { next });
    }
    const folder = await mkdtemp(join(tmpdir(), "comeback-apprise-"));
    try {
      const config = join(folder, "urls.conf");
      await writeFile(config, `${urls.join("\n")}\n`, { mode: 0o600, flag: "wx" });
      await run(settings.command, { config, notification }, { world, sending });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function run(
  command: readonly [string, ...string[]],
  { config, notification }: { readonly config: string; readonly notification: Notification },
  { world, sending }: { readonly world: NotifierWorld; readonly sending: Sending },
): Promise<void> {
  const title = cutText(oneLine(notification.title), TITLE_MAX_CHARS);
  const type = notification.event === "run.ok" ? "success" : TYPES[notification.severity];
  const result = await world.runner
    .run({
      argv: withArguments(command, [
        `--config=${config}`,
        `--notification-type=${type}`,
        "--input-format=text",
        `--title=${title}`,
      ]),
      input: cutText(bodyText(notification), BODY_MAX_CHARS) || title,
      signal: sending.signal,
    })
    .catch((error: unknown) => {
      sending.signal.throwIfAborted();
      if (!isComebackError(error, "command.missing")) throw error;
      const next = "install apprise, or say under `command` where it is";
      throw sending.failed(error.message, { next });
    });
  if (result.exitCode === 0) return;
  // What it printed is not told: its URLs stand there.
  const how =
    result.exitCode === null ? `ended by ${result.endedBy}` : `exit code ${result.exitCode}`;
  throw sending.failed(`it could not deliver to all of its URLs (${how})`, {
    next: "try them by hand: apprise -vv -t test -b test URL",
    retryable: true,
  });
}

/** A line for the shell gets them as its own arguments, quoted by the shell itself. */
function withArguments(
  command: readonly [string, ...string[]],
  added: readonly string[],
): [string, ...string[]] {
  const [program, flag, line, ...more] = command;
  if (program === "/bin/sh" && flag === "-c" && line !== undefined && more.length === 0) {
    return [program, flag, `${line} "$@"`, "apprise", ...added];
  }
  return [...command, ...added];
}
