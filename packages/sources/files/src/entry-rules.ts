import type { ByteString, Environment } from "@comeback/core";
import { AT_FDCWD, isSystemCallError, statAt } from "@comeback/platform";
import { DeviceRules } from "./device-rules.ts";
import { type PathRuleOptions, PathRules } from "./path-rules.ts";
import { type TagRuleOptions, TagRules } from "./tag-rules.ts";
import type { AbsolutePath } from "./working-folder.ts";

export type EntryRuleOptions = PathRuleOptions &
  TagRuleOptions & {
    /** Leave out files larger than this. */
    readonly excludeLargerThanBytes?: number | undefined;
    /** Stay on the file systems that the targets are on. */
    readonly oneFileSystem?: boolean | undefined;
  };

/** What decides whether an entry belongs into a backup. */
export type EntryRules = {
  readonly paths: PathRules;
  readonly tags: TagRules;
  readonly devices: DeviceRules | undefined;
  readonly largestBytes: number;
};

export function entryRules(
  options: EntryRuleOptions,
  targets: readonly AbsolutePath[],
  environment: Environment,
): EntryRules {
  return {
    paths: new PathRules(options, environment),
    tags: new TagRules(options),
    devices: options.oneFileSystem === true ? devicesOf(targets) : undefined,
    largestBytes: options.excludeLargerThanBytes ?? Infinity,
  };
}

function devicesOf(targets: readonly AbsolutePath[]): DeviceRules {
  const devices = new DeviceRules();
  for (const { path, actualPath } of targets) devices.add(path, deviceAt(actualPath));
  return devices;
}

/** `undefined` where there is nothing to see: the walk will report it. */
function deviceAt(path: ByteString): number | bigint | undefined {
  try {
    return statAt(AT_FDCWD, path).deviceId;
  } catch (error) {
    if (isSystemCallError(error)) return undefined;
    throw error;
  }
}
