import { applyDefaults } from "./apply-defaults.ts";
import { checkReferences } from "./cross-checks/check-references.ts";
import { explainIssues } from "./explain-issues.ts";
import { findConfiguration, noConfiguration } from "./find-configuration.ts";
import { findValue, plainValue, positionIn, type ValuePath } from "./located-value.ts";
import { mergeFiles } from "./merge-files.ts";
import { invalidConfiguration, type Problem } from "./problems.ts";
import { readFiles } from "./read-files.ts";
import { type Configuration, configuration as schema } from "./schema/configuration.ts";

export interface LoadOptions {
  /** As given with `--config`; otherwise COMEBACK_CONFIG and the usual places are looked at. */
  readonly path?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Says what is wrong with a trigger such as "daily 02:00"; undefined where nothing is. */
  readonly validateTrigger?: (text: string) => string | undefined;
}

/** A place in a file of the configuration, counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** All files that it was read from, the main one first. */
  readonly files: readonly string[];
  /** As it is written, with includes and defaults merged in; secrets are references. */
  readonly merged: Readonly<Record<string, unknown>>;
  /** Where a value was written (`["plans", "shop", "to", 0]`), or what is nearest above it. */
  positionOf(path: ValuePath): Position;
}

/**
 * Reads comeback.yaml and what it includes. Rejects with `configuration.missing` where there is
 * none, and with `configuration.invalid`, which names every problem and its place, where it cannot
 * be used. Nothing outside the files is looked at.
 */
export async function loadConfiguration(options: LoadOptions): Promise<LoadedConfiguration> {
  const path = await findConfiguration(options);
  if (path === undefined) throw noConfiguration(options.env);
  const { files, roots, problems: found } = await readFiles(path, options.signal);
  const problems: Problem[] = [...found];
  const whole = mergeFiles(roots, problems);
  if (problems.length > 0 || whole === undefined) throw invalidConfiguration(problems);
  const root = applyDefaults(whole);
  const merged = plainValue(root) as Readonly<Record<string, unknown>>;
  const parsed = schema.safeParse(merged);
  if (!parsed.success) throw invalidConfiguration(explainIssues(parsed.error.issues, root));
  const configuration = parsed.data;
  problems.push(
    ...checkReferences({
      configuration,
      root,
      validateTrigger: options.validateTrigger ?? (() => undefined),
    }),
  );
  if (problems.length > 0) throw invalidConfiguration(problems);
  return {
    configuration,
    files: files.map((file) => file.path),
    merged,
    positionOf(valuePath) {
      const { place } = findValue(root, valuePath);
      const [line, column] = positionIn(place.file, place.start);
      return { file: place.file.path, line, column };
    },
  };
}
