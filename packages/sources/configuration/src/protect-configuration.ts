import {
  type ByteString,
  byteStringFromText,
  ComebackError,
  type CommandRunner,
  type Finding,
  type PinnedSource,
  type PinOptions,
  type ProtectedSource,
  type SourceItem,
  type SourceOpenOptions,
} from "@comeback/core";
import {
  joinedSource,
  NO_TIME,
  probeCommand,
  type StreamFile,
  streamsSource,
} from "@comeback/source-streams";
import { ReportWriter } from "./report-writer.ts";
import { type ReportName, reports } from "./reports.ts";

type Argv = readonly [string, ...string[]];

export interface ProtectConfigurationOptions {
  /** The files that belong to it. */
  readonly files: ProtectedSource;
  readonly reports: readonly ReportName[];
  /** Further reports by name: what a command prints. */
  readonly commands: Readonly<Record<string, Argv>>;
  readonly runner: CommandRunner;
}

const FOLDER = "/comeback-report";

/**
 * What is needed to set a machine up again: files, and beside them in the same snapshot what
 * programs tell of the machine, as `/comeback-report/NAME.txt`.
 *
 * A program that is not there is noted in its report; one that fails is a problem as well. A command
 * of the user's own that fails is missing, and its report with it. Reports show the time of reading,
 * also where files are read from a snapshot.
 */
export function protectConfiguration(options: ProtectConfigurationOptions): ProtectedSource {
  const { files, commands, runner } = options;
  const taken = Object.keys(commands).find((name) => Object.hasOwn(reports, name));
  if (taken !== undefined) {
    throw new ComebackError("configuration.invalid", `commands: ${taken} is a report already`, {
      next: "give the command another name",
    });
  }
  return {
    kind: "configuration",
    paths: files.paths,
    pinsMoment: false,
    async probe(probe): Promise<Finding[]> {
      const findings = await files.probe(probe);
      for (const [name, argv] of Object.entries(commands)) {
        findings.push(await probeCommand({ role: `command ${name}`, argv }, runner, probe.signal));
      }
      return findings;
    },
    pin: (pin) => pinConfiguration(options, pin),
  };
}

async function pinConfiguration(
  options: ProtectConfigurationOptions,
  pin: PinOptions,
): Promise<PinnedSource> {
  const files = await options.files.pin(pin);
  const missing: (SourceItem & { readonly reason: string })[] = [];
  const names = [...options.reports, ...Object.keys(options.commands)];
  const reportFiles = [
    ...options.reports.map((name) => builtInReport(name, options.runner)),
    ...Object.entries(options.commands).map(([name, argv]) =>
      commandReport({
        name,
        argv,
        runner: options.runner,
        onLine: (line) => pin.onLine(`${name}: ${line}`),
        onMissing: (reason) => missing.push({ kind: "report", name, reason }),
      }),
    ),
  ];
  const source = streamsSource({
    files: reportFiles,
    paths: reportFiles.length === 0 ? [] : [FOLDER],
    // The time of a report would make each snapshot another one.
    time: NO_TIME,
    permissions: { file: 0o600, folder: 0o700 },
  });
  return {
    source: joinedSource([files.source, source]),
    items: [...files.items, ...names.map((name) => ({ kind: "report", name }))],
    missing: () => [...files.missing(), ...missing],
    ...(files.ignoresInodes === undefined ? {} : { ignoresInodes: files.ignoresInodes }),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

function placeOfReport(name: string): ByteString {
  return byteStringFromText(`${FOLDER}/${name}.txt`);
}

function builtInReport(name: ReportName, runner: CommandRunner): StreamFile {
  const path = placeOfReport(name);
  return {
    path,
    content: ({ onProblem }: SourceOpenOptions) => ({
      kind: "stream",
      isolated: true,
      async *open(signal: AbortSignal) {
        const writer = new ReportWriter({
          runner,
          signal,
          onProblem: (message) => onProblem({ path, during: "read", message }),
        });
        for await (const text of reports[name](writer)) yield Buffer.from(text, "utf8");
      },
    }),
  };
}

function commandReport(report: {
  readonly name: string;
  readonly argv: Argv;
  readonly runner: CommandRunner;
  onLine(line: string): void;
  onMissing(reason: string): void;
}): StreamFile {
  const { name, argv, runner, onLine, onMissing } = report;
  return {
    path: placeOfReport(name),
    content: () => ({
      kind: "stream",
      isolated: true,
      async *open(signal: AbortSignal) {
        try {
          yield* runner.stream({ argv, signal, onLine });
        } catch (error) {
          signal.throwIfAborted();
          const { message, why } = error as ComebackError;
          onMissing(why === undefined ? message : `${message}: ${why}`);
          throw error;
        }
      },
    }),
  };
}
