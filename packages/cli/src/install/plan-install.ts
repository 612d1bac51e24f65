import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError } from "@comeback/core";
import { MARKER, serviceUnit, timerUnit, type UnitOptions } from "./unit-files.ts";

export interface InstallOptions extends UnitOptions {
  /** Where units lie: /etc/systemd/system. */
  readonly unitFolder: string;
}

export interface UnitFileChange {
  readonly path: string;
  /** `undefined`: it is removed. */
  readonly text: string | undefined;
  readonly change: "new" | "changed" | "same" | "removed";
}

/** What an installation does, in this order: stop, write and remove, then the other commands. */
export interface InstallPlan {
  readonly before: readonly (readonly [string, ...string[]])[];
  readonly files: readonly UnitFileChange[];
  readonly after: readonly (readonly [string, ...string[]])[];
}

const SERVICE = "comeback.service";
const TIMER = "comeback.timer";

/** Looks at what is there. Rejects with `option.invalid` where a unit of that name is not ours. */
export async function planInstall(options: InstallOptions): Promise<InstallPlan> {
  const { unitFolder, isTimer, isUser } = options;
  const control = systemctl(isUser);
  const service = await planFile(join(unitFolder, SERVICE), serviceUnit(options));
  const timer = await planFile(join(unitFolder, TIMER), isTimer ? timerUnit() : undefined);
  const files = [service, timer].filter((file) => file !== undefined);
  const unit = isTimer ? TIMER : SERVICE;
  return {
    // What comes into the other's place.
    before:
      timer?.change === "removed"
        ? [[...control, "disable", "--now", TIMER]]
        : isTimer && service?.change === "changed"
          ? [[...control, "disable", "--now", SERVICE]]
          : [],
    files,
    after: [
      [...control, "daemon-reload"],
      [...control, "enable", unit],
      // A unit that is new in what it says begins anew; backups that run are waited for.
      [...control, "restart", unit],
    ],
  };
}

export async function planRemoval(
  options: Pick<InstallOptions, "unitFolder" | "isUser">,
): Promise<InstallPlan> {
  const control = systemctl(options.isUser);
  const files: UnitFileChange[] = [];
  for (const name of [TIMER, SERVICE]) {
    const file = await planFile(join(options.unitFolder, name), undefined);
    if (file !== undefined) files.push(file);
  }
  if (files.length === 0) return { before: [], files, after: [] };
  const units = files.map(({ path }) => path.slice(options.unitFolder.length + 1));
  return {
    before: [[...control, "disable", "--now", ...units]],
    files,
    after: [[...control, "daemon-reload"]],
  };
}

function systemctl(isUser: boolean): readonly [string, ...string[]] {
  return isUser ? ["systemctl", "--user"] : ["systemctl"];
}

async function planFile(
  path: string,
  text: string | undefined,
): Promise<UnitFileChange | undefined> {
  const present = await readIfThere(path);
  if (present !== undefined && !present.startsWith(MARKER)) {
    throw new ComebackError("option.invalid", `${path} was not written by Comeback`, {
      why: "it does not begin with the line that `comeback install` writes",
      next: "move it away, and run the command again",
    });
  }
  if (text === undefined) {
    return present === undefined ? undefined : { path, text, change: "removed" };
  }
  const change = present === undefined ? "new" : present === text ? "same" : "changed";
  return { path, text, change };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ComebackError("option.invalid", `${path} cannot be read`, {
      next: "run the command as root, or with --user",
      cause: error,
    });
  }
}
