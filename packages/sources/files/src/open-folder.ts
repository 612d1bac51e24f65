import type { ByteString } from "@comeback/core";
import {
  close,
  isSystemCallError,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openBeneath,
  openPath,
} from "@comeback/platform";
import type { AbsolutePath } from "./working-folder.ts";

const FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/**
 * Opens folders below targets so that no symlink is ever followed on the way, even one that is
 * planted while we read. One target is kept open, for a walk stays in one for long.
 */
export class FolderOpener implements Disposable {
  #target: AbsolutePath | undefined;
  #fd = -1;

  /** Opens `path`, which is a target's own or below it, for listing. */
  open(target: AbsolutePath, path: ByteString): number {
    if (this.#target !== target) {
      this[Symbol.dispose]();
      this.#fd = openPath(target.actualPath, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      this.#target = target;
    }
    const below = path.slice(target.path.length + 1);
    return openWithoutTouching((flags) => openBeneath(this.#fd, below === "" ? "." : below, flags));
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
    this.#target = undefined;
  }
}

/** Listing does not change access times where the kernel allows that (owner or root only). */
function openWithoutTouching(open: (flags: number) => number): number {
  try {
    return open(FLAGS | O_NOATIME);
  } catch (error) {
    if (!isSystemCallError(error, "EPERM")) throw error;
    return open(FLAGS);
  }
}
