import type { ByteString } from "@comeback/core";
import { AT_FDCWD, isSystemCallError, statAt } from "@comeback/platform";
import { parentPath } from "./working-folder.ts";

type DeviceId = number | bigint;

/**
 * The rule of `--one-file-system`: an entry stays where it is on the file system of the target it
 * belongs to. The folder that another file system is mounted on stays as well, empty.
 */
export class DeviceRules {
  /** The file system of each target, by absolute path. */
  readonly #devices = new Map<ByteString, DeviceId>();

  add(targetPath: ByteString, device: DeviceId | undefined): void {
    if (device !== undefined) this.#devices.set(targetPath, device);
  }

  /** The file system that a path has to be on: that of the nearest target at or above it. */
  allowedAt(path: ByteString): DeviceId | undefined {
    for (let folder = path; ; folder = parentPath(folder)) {
      const device = this.#devices.get(folder);
      if (device !== undefined || folder === "/") return device;
    }
  }

  /** Whether an entry that is no longer in reach of a folder's listing stays. */
  keeps(path: ByteString, device: DeviceId, isFolder: boolean): boolean {
    const allowed = this.allowedAt(path);
    if (allowed === undefined || allowed === device) return true;
    if (!isFolder) return false;
    const parent = parentPath(path);
    try {
      return statAt(AT_FDCWD, parent).deviceId === this.allowedAt(parent);
    } catch (error) {
      if (isSystemCallError(error)) return false;
      throw error;
    }
  }
}
