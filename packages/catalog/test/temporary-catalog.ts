import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CatalogStore } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { openCatalog, type OpenCatalogOptions } from "@comeback/catalog";

/** In memory where that can be: SQLite asks the disk to make sure of every commit. */
const PARENT = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A folder for catalogs in files; it is removed at the end. */
export class TemporaryCatalogs implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(PARENT, "comeback-catalog-"));
  readonly path: string = join(this.folder, "state", "catalog.sqlite");
  readonly #opened: CatalogStore[] = [];

  async open(options: Partial<OpenCatalogOptions> = {}): Promise<CatalogStore> {
    const { signal } = new AbortController();
    const store = await openCatalog(this.path, {
      host: "web1",
      clock: systemClock,
      signal,
      ...options,
    });
    this.#opened.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#opened) await store[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
