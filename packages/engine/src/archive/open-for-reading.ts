import type { ByteString } from "@comeback/core";
import {
  isSystemCallError,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openPath,
} from "@comeback/platform";

/** Opening must not follow a link, nor hang on a fifo, that took the file's place. */
const FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** A backup does not change access times where the kernel allows that (owner or root only). */
export function openForReading(path: ByteString): number {
  try {
    return openPath(path, FLAGS | O_NOATIME);
  } catch (error) {
    if (!isSystemCallError(error, "EPERM")) throw error;
    return openPath(path, FLAGS);
  }
}
