import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ComebackError } from "@comeback/core";

const FILE_NAME = "comeback.yaml";

export interface ConfigurationPlace {
  /** As given with `--config`. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The configuration's file, if there is one: named, or in one of the usual places. */
export async function findConfiguration(place: ConfigurationPlace): Promise<string | undefined> {
  const { path, env } = place;
  const named = path ?? (env["COMEBACK_CONFIG"] || undefined);
  if (named !== undefined) return resolve(named);
  for (const candidate of usualPlaces(env)) {
    const isThere = await access(candidate).then(
      () => true,
      // One that is there and cannot be read is to be complained of, not passed over.
      (error: unknown) => !isAbsent(error),
    );
    if (isThere) return candidate;
  }
  return undefined;
}

export function usualPlaces(env: ConfigurationPlace["env"]): string[] {
  const home = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return [resolve(FILE_NAME), join(home, "comeback", FILE_NAME), join("/etc/comeback", FILE_NAME)];
}

export function noConfiguration(env: ConfigurationPlace["env"]): ComebackError {
  return new ComebackError("configuration.missing", "there is no configuration", {
    why: `none of these files exists: ${usualPlaces(env).join(", ")}`,
    next: "name one with --config FILE or COMEBACK_CONFIG, or make one with `comeback setup`",
  });
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
