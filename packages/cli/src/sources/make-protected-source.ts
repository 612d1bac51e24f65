import { byteStringFromText, type ProtectedSource } from "@comeback/core";
import type { SecretReference, SettingsOfKind, SourceSettings } from "@comeback/operations";
import { protectCommand } from "@comeback/source-command";
import { protectConfiguration } from "@comeback/source-configuration";
import { protectFiles, type ProtectFilesOptions } from "@comeback/source-files";
import { type PostgresAddress, protectPostgres } from "@comeback/source-postgres";
import type { SourceServices } from "./source-services.ts";

/** The source that a part of a plan describes. Touches nothing, and resolves no secret yet. */
export function makeProtectedSource(
  source: SourceSettings,
  services: SourceServices,
): ProtectedSource {
  const { runner } = services;
  switch (source.kind) {
    case "files":
      return protectFiles(fileOptions(source.settings));
    case "configuration":
      return protectConfiguration({
        files: protectFiles(fileOptions(source.settings)),
        reports: source.settings.reports,
        commands: source.settings.commands,
        runner,
      });
    case "command": {
      const { run, filename, environment, exitCodes, timeout } = source.settings;
      return protectCommand({
        argv: run,
        filename,
        environment: (signal) => resolveAll(environment, services, signal),
        exitCodes,
        timeoutMs: timeout,
        runner,
      });
    }
    case "postgres": {
      const { databases, exclude, globals, programs, runAs } = source.settings;
      return protectPostgres({
        address: (signal) => addressOf(source.settings, services, signal),
        databases,
        exclude,
        globals,
        programs,
        runAs,
        runner,
      });
    }
  }
}

function fileOptions(
  settings: SettingsOfKind<"files"> | SettingsOfKind<"configuration">,
): ProtectFilesOptions {
  return {
    paths: settings.paths,
    exclude: settings.exclude.map(byteStringFromText),
    iexclude: settings.iexclude.map(byteStringFromText),
    excludeFiles: settings.excludeFile,
    excludeIfPresent: settings.excludeIfPresent.map(byteStringFromText),
    excludeCaches: settings.excludeCaches,
    excludeLargerThanBytes: settings.excludeLargerThan,
    oneFileSystem: settings.oneFileSystem,
  };
}

async function addressOf(
  { url, password }: SettingsOfKind<"postgres">,
  { resolveSecret }: SourceServices,
  signal: AbortSignal,
): Promise<PostgresAddress> {
  return {
    url: url === undefined ? undefined : await resolveSecret(url, signal),
    password: password === undefined ? undefined : await resolveSecret(password, signal),
  };
}

async function resolveAll(
  values: Readonly<Record<string, string | SecretReference>>,
  { resolveSecret }: SourceServices,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const resolved: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    resolved[name] = await resolveSecret(value, signal);
  }
  return resolved;
}
