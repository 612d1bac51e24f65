import { ComebackError, ExitCode, type Notification } from "@comeback/core";
import { type ChannelReport, type Configuration, stateFolder } from "@comeback/operations";
import { hostOf } from "../configuration/host-of.ts";
import type { CommandContext } from "../context.ts";
import { wrapWords } from "../terminal/display-width.ts";
import { printableText } from "../terminal/printable.ts";
import { openDispatcher } from "./open-dispatcher.ts";

const INDENT = "    ";

/** Sends a message through each channel, and tells what became of it. */
export async function testChannels(
  context: CommandContext,
  configuration: Configuration,
  names: readonly string[],
): Promise<number> {
  const { clock, env, signal, terminal, globals } = context;
  const chosen = chooseChannels(configuration, names);
  const dispatcher = openDispatcher(configuration, {
    env,
    clock,
    // A test is remembered nowhere.
    catalog: { readNote: () => Promise.resolve(undefined), saveNote: () => Promise.resolve() },
    stateFolder: configuration.state ?? stateFolder(env),
  });
  const notification = testMessage(hostOf(configuration), clock.now());
  const reports: ChannelReport[] = [];
  for (const name of chosen) {
    const report = await dispatcher.test(name, notification, signal);
    signal.throwIfAborted();
    reports.push(report);
    if (!globals.json) terminal.print(renderReport(report, context).join("\n"));
  }
  if (globals.json) terminal.print(JSON.stringify(reports.map((report) => jsonOf(report))));
  const hasFailed = reports.some(({ outcome }) => outcome === "failed");
  return hasFailed ? ExitCode.failed : ExitCode.done;
}

function chooseChannels({ channels }: Configuration, names: readonly string[]): string[] {
  const known = Object.keys(channels);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined && known.length > 0)
    return names.length === 0 ? known : [...new Set(names)];
  const what = unknown === undefined ? "no channel at all" : `no channel ${unknown}`;
  throw new ComebackError("option.invalid", `there is ${what} in the configuration`, {
    next:
      known.length === 0
        ? "name one under `channels`: docs/guides/notifications.md"
        : `there is ${known.join(", ")}`,
  });
}

function testMessage(host: string, atMs: number): Notification {
  return {
    event: "test",
    severity: "info",
    title: `a test of Comeback on ${host}`,
    lines: ["If you read this, notifications of your backups reach you here."],
    facts: { host },
    host,
    atMs,
  };
}

function renderReport(
  { channel, kind, outcome, error }: ChannelReport,
  { terminal }: CommandContext,
): string[] {
  const { palette, columns } = terminal;
  const shown = outcome === "failed" ? palette.red("failed") : palette.green("sent  ");
  const head = `${shown}  ${channel} (${kind})`;
  if (error === undefined) return [head];
  const why = [error.message, error.why].filter(Boolean).join(": ");
  const parts = [why, ...(error.next === undefined ? [] : [`next: ${error.next}`])];
  const lines = parts.flatMap((part) => wrapWords(printableText(part), columns - INDENT.length));
  return [head, ...lines.map((line) => INDENT + line)];
}

function jsonOf({ channel, kind, outcome, error }: ChannelReport): object {
  const told =
    error === undefined
      ? {}
      : {
          code: error.code,
          error: error.message,
          why: error.why ?? null,
          next: error.next ?? null,
        };
  return { channel, kind, outcome, ...told };
}
