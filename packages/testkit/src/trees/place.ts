import type { ByteString } from "@comeback/core";

/** An entry by its name in an open folder: so a path may be longer than the kernel takes at once. */
export interface Place {
  readonly dirFd: number;
  readonly name: ByteString;
}
