import { ComebackError } from "@comeback/core";
import {
  type DestinationSettings,
  type LoadedConfiguration,
  resolveSecret,
  type SecretWorld,
} from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { CommandContext } from "../context.ts";
import { isFolderLocation } from "../opening/find-backend.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import type { StorageSetting } from "../options/storage-options.ts";
import { destinationEnvironment } from "./destination-environment.ts";
import { shellLine } from "./quote-shell-word.ts";

export interface DestinationOptions {
  /** Whether it is time for the limits of `limit-window`; they always hold if not given. */
  readonly isInWindow?: (window: string) => boolean;
}

/**
 * The context in which a command, or a run, opens a destination: its repository with password,
 * storage, limits and environment in the place of those of the command line. Several may be open at
 * once. Secrets of the environment are resolved here, the password when the repository is opened.
 * Rejects with `option.invalid` where there is no such destination, with `configuration.secret`.
 */
export async function destinationContext(
  context: CommandContext,
  loaded: LoadedConfiguration,
  name: string,
  options: DestinationOptions = {},
): Promise<CommandContext> {
  const { destinations } = loaded.configuration;
  const settings = Object.hasOwn(destinations, name) ? destinations[name] : undefined;
  if (settings === undefined) throw noDestination(name, Object.keys(destinations));
  const { env, signal, globals } = context;
  const world: SecretWorld = { env, commands: systemCommandRunner, signal };
  return {
    ...context,
    env: await destinationEnvironment(settings, world, name),
    globals: destinationGlobals({ globals, settings, world, name, isInWindow: options.isInWindow }),
    outer: context.outer ?? context,
    destination: name,
  };
}

function noDestination(name: string, names: readonly string[]): ComebackError {
  return new ComebackError("option.invalid", `no destination is called "${name}"`, {
    next: names.length === 0 ? "the configuration has none" : `there is ${names.join(", ")}`,
  });
}

function destinationGlobals(given: {
  readonly globals: GlobalOptions;
  readonly settings: DestinationSettings;
  readonly world: SecretWorld;
  readonly name: string;
  readonly isInWindow: DestinationOptions["isInWindow"];
}): GlobalOptions {
  const { globals, settings, world, name, isInWindow } = given;
  const { repo, hot, password } = settings;
  const { limitWindow } = settings;
  const isLimited = limitWindow === undefined || isInWindow?.(limitWindow) !== false;
  const what = `destinations.${name}.password`;
  return {
    ...globals,
    repository: { kind: "location", location: repo },
    hotRepository: hot,
    password: { kind: "reference", resolve: () => resolveSecret(password, world, what) },
    retryLockMs: settings.retryLock,
    compression: settings.compression,
    packSizeBytes: settings.packSize,
    storage: {
      ...globals.storage,
      settings: storageSettings(settings),
      limits: isLimited
        ? {
            uploadBytesPerSecond: settings.limitUpload || undefined,
            downloadBytesPerSecond: settings.limitDownload || undefined,
          }
        : {},
      hasSeveralRepositories: hot !== undefined,
    },
  };
}

/** `options`, and the mount as the settings of a folder that guard it. */
function storageSettings({ repo, options, mount }: DestinationSettings): StorageSetting[] {
  const settings = Object.entries(options).map(([key, value]): StorageSetting => {
    const dot = key.indexOf(".");
    return { scheme: key.slice(0, dot), name: key.slice(dot + 1), value: String(value) };
  });
  if (mount === undefined || !isFolderLocation(repo)) return settings;
  const guard: Readonly<Record<string, string | undefined>> = {
    "mount-point": mount.point,
    "mount-command": mount.command === undefined ? undefined : shellLine(mount.command),
    marker: mount.marker,
    device: mount.device,
    // Without a command there is nothing to wait for: what is not there is told at once.
    "mount-wait": mount.command === undefined ? undefined : `${mount.wait}ms`,
  };
  for (const [key, value] of Object.entries(guard)) {
    if (value !== undefined) settings.push({ scheme: "local", name: key, value });
  }
  return settings;
}
