import {
  ComebackError,
  fileLabel,
  type Backend,
  type BackendArchive,
  type RepositoryFile,
} from "@comeback/core";
import { LayerBackend } from "./layer-backend.ts";

/**
 * Refuses whatever would change the store, locks included: a client that may not write cannot lock
 * either, and works as with restic's `--no-lock`. Asking for a thaw changes no file, but costs money
 * and is refused as well.
 */
export class ReadOnlyBackend extends LayerBackend {
  constructor(inner: Backend) {
    const { archive, retention } = inner;
    super(inner, {
      archive:
        archive &&
        ({
          tiers: (storageClass) => archive.tiers(storageClass),
          states: (names, options) => archive.states(names, options),
          thaw: (name) => refuse(inner, "thawing", { type: "pack", name }),
        } satisfies BackendArchive),
      retention: retention && {
        lockedUntilMs: (file, options) => retention.lockedUntilMs(file, options),
        extend: (file) => refuse(inner, "locking", file),
      },
    });
  }

  protected override performSave(file: RepositoryFile): Promise<void> {
    return refuse(this.inner, "saving", file);
  }

  protected override performRemove(file: RepositoryFile): Promise<void> {
    return refuse(this.inner, "removing", file);
  }
}

async function refuse(inner: Backend, doing: string, file: RepositoryFile): Promise<never> {
  throw new ComebackError("backend.read-only", `${inner.location} is opened only to be read`, {
    why: `${doing} ${fileLabel(file)} would change it`,
    next: "leave --read-only out, or use a command that only reads",
  });
}
