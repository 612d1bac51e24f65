import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import {
  ComebackError,
  MOUNT_WAIT_DEFAULT_MS,
  MOUNT_WAIT_MAX_MS,
  splitShellWords,
} from "@comeback/core";
import { mountAt, mountOf, readMounts, realPathOf } from "./mount-table.ts";

/** What `-o local.NAME=VALUE` may name. */
export const LOCAL_SETTINGS: Readonly<Record<string, string>> = {
  "mount-point": "a folder above the repository that has to be a mount point",
  marker: "a file that has to be there, in the mount point",
  device: "what the repository has to lie on: UUID=…, LABEL=…, /dev/…, or server:/path",
  "mount-command":
    "run without a shell where one of these does not hold, before it is looked again",
  "mount-wait": `how long the command and the mount may take (default: ${MOUNT_WAIT_DEFAULT_MS / 1000}s)`,
};

/** What has to be true of the place where a repository is, before anything is written there. */
export interface RequiredPlace {
  readonly mountPoint: string | undefined;
  /** Absolute. */
  readonly marker: string | undefined;
  readonly device: string | undefined;
  readonly command: readonly string[] | undefined;
  /** How long it may take to become true; 0 asks once. */
  readonly waitMs: number;
}

export function readRequiredPlace(
  settings: ReadonlyMap<string, string>,
): RequiredPlace | undefined {
  const given = (name: string): string | undefined => {
    const value = settings.get(name);
    return value === "" ? undefined : value;
  };
  const mountPoint = readMountPoint(given("mount-point"));
  const marker = given("marker");
  const device = given("device");
  const commandText = given("mount-command");
  const command =
    commandText === undefined ? undefined : splitShellWords("local.mount-command", commandText);
  const wait = given("mount-wait");
  const isRequired = [mountPoint, marker, device].some((value) => value !== undefined);
  if (!isRequired) {
    if (command === undefined && wait === undefined) return undefined;
    throw new ComebackError("option.invalid", "there is nothing to mount for", {
      why: "local.mount-command and local.mount-wait need something that has to hold",
      next: "name it with local.mount-point, local.marker or local.device",
    });
  }
  const waitMs = wait === undefined ? undefined : parseWaitMs(wait);
  return {
    mountPoint,
    marker: marker === undefined ? undefined : markerPath(marker, mountPoint),
    device,
    command,
    waitMs: waitMs ?? (command === undefined ? 0 : MOUNT_WAIT_DEFAULT_MS),
  };
}

/** The first thing that does not hold, as a sentence; undefined where all do. */
export async function whatIsMissing(
  root: string,
  { mountPoint, marker, device }: RequiredPlace,
): Promise<string | undefined> {
  try {
    const missing = mountPoint === undefined ? undefined : await whyNotMounted(root, mountPoint);
    if (missing !== undefined) return missing;
    if (marker !== undefined && !(await isThere(marker))) return `${marker} is not there`;
    if (device !== undefined) {
      const mount = mountOf(await readMounts(), await realPathOf(root));
      if (mount === undefined || !(await isSameDevice(mount.source, device))) {
        return `${root} lies on ${mount?.source ?? "nothing"}, not on ${device}`;
      }
    }
    return undefined;
  } catch (error) {
    // A share whose server is gone: not there, whatever the system calls it.
    return error instanceof Error ? error.message : String(error);
  }
}

async function whyNotMounted(root: string, mountPoint: string): Promise<string | undefined> {
  // An automounter mounts at the first look.
  await stat(join(mountPoint, ".")).catch(() => undefined);
  const point = await realPathOf(mountPoint);
  const mount = mountAt(await readMounts(), point);
  if (mount === undefined || mount.type === "autofs") return `${mountPoint} is not a mount point`;
  const place = await realPathOf(root);
  const isBelow = place === point || place.startsWith(point === "/" ? point : `${point}/`);
  return isBelow ? undefined : `${root} is not below the mount point ${mountPoint}`;
}

function readMountPoint(text: string | undefined): string | undefined {
  if (text === undefined || isAbsolute(text)) return text === undefined ? undefined : resolve(text);
  throw new ComebackError("option.invalid", "local.mount-point is no whole path", {
    next: "write it as -o local.mount-point=/mnt/nas",
  });
}

function markerPath(marker: string, mountPoint: string | undefined): string {
  if (isAbsolute(marker)) return marker;
  if (mountPoint !== undefined) return join(mountPoint, marker);
  throw new ComebackError("option.invalid", "nobody says where local.marker is", {
    next: "give its whole path, or local.mount-point as well",
  });
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function parseWaitMs(text: string): number {
  const [, amount, unit = ""] = /^(\d{1,7})(ms|s|m|h)$/.exec(text) ?? [];
  const waitMs = Number(amount) * (UNITS_MS[unit] ?? Number.NaN);
  if (waitMs <= MOUNT_WAIT_MAX_MS) return waitMs;
  throw new ComebackError("option.invalid", "local.mount-wait is no time to wait", {
    next: "use a time such as 30s or 2m, one hour at most",
  });
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

const BY_NAME: Readonly<Record<string, string>> = {
  UUID: "by-uuid",
  LABEL: "by-label",
  PARTUUID: "by-partuuid",
  PARTLABEL: "by-partlabel",
  ID: "by-id",
};

/** Shares are named alike; devices have many names, all of which lead to one. */
async function isSameDevice(source: string, wanted: string): Promise<boolean> {
  const path = devicePath(wanted);
  if (path === undefined || !source.startsWith("/dev/")) return source === wanted;
  const [one, other] = await Promise.all([source, path].map(realPathOf));
  return one === other;
}

/** Where the system shows a device that is named as in fstab(5); undefined where it is none. */
function devicePath(wanted: string): string | undefined {
  if (wanted.startsWith("/dev/")) return wanted;
  const [, kind = "", name = ""] = /^([A-Z]+)=([^/]+)$/.exec(wanted) ?? [];
  const folder = BY_NAME[kind];
  if (folder !== undefined) return `/dev/disk/${folder}/${name.replaceAll('"', "")}`;
  const isBareUuid = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{4}-[0-9A-F]{4})$/i;
  return isBareUuid.test(wanted) ? `/dev/disk/by-uuid/${wanted}` : undefined;
}
