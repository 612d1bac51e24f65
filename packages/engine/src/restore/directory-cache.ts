import { type ByteString, RESTORE_DIRECTORIES_OPEN_MAX } from "@comeback/core";
import { close, O_DIRECTORY, O_PATH, openBeneath } from "@comeback/platform";

/**
 * Open directories below the target, by their path. They are opened beneath the target's root
 * without going through any symlink; one thread keeps a bounded number of them open.
 */
export class DirectoryCache implements Disposable {
  readonly #rootFd: number;
  readonly #open = new Map<ByteString, number>();
  #lastPath: ByteString = "";
  #lastFd: number;

  constructor(rootFd: number) {
    this.#rootFd = rootFd;
    this.#lastFd = rootFd;
  }

  /** The directory's descriptor. Those of the last two calls are open for sure. */
  fdOf(path: ByteString): number {
    if (path === this.#lastPath) return this.#lastFd;
    const fd = path === "" ? this.#rootFd : this.#fdBelow(path);
    this.#lastPath = path;
    this.#lastFd = fd;
    return fd;
  }

  /** Takes over a descriptor that the caller has just opened. */
  keep(path: ByteString, fd: number): void {
    this.forget(path);
    this.#add(path, fd);
  }

  /** Closes a directory that is not needed any more. */
  forget(path: ByteString): void {
    const fd = this.#open.get(path);
    if (fd === undefined) return;
    this.#open.delete(path);
    this.#close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.values()) close(fd);
    this.#open.clear();
    this.#lastPath = "";
    this.#lastFd = this.#rootFd;
  }

  #fdBelow(path: ByteString): number {
    const known = this.#open.get(path);
    if (known !== undefined) {
      // A Map keeps insertion order: the first key is the one that was used longest ago.
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const fd = openBeneath(this.#rootFd, path, O_PATH | O_DIRECTORY);
    this.#add(path, fd);
    return fd;
  }

  #add(path: ByteString, fd: number): void {
    if (this.#open.size >= RESTORE_DIRECTORIES_OPEN_MAX) {
      const [oldest] = this.#open;
      if (oldest !== undefined) this.forget(oldest[0]);
    }
    this.#open.set(path, fd);
  }

  #close(fd: number): void {
    close(fd);
    if (fd === this.#lastFd) {
      this.#lastPath = "";
      this.#lastFd = this.#rootFd;
    }
  }
}
