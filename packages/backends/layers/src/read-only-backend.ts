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
    const { archive, leftOvers, retention } = inner;
    super(inner, {
      archive:
        archive &&
        ({
          tiers: (storageClass) => archive.tiers(storageClass),
          states: (names, options) => archive.states(names, options),
          thaw: (name) => refuse(inner, doing("thawing", { type: "pack", name })),
        } satisfies BackendArchive),
      retention: retention && {
        lockedUntilMs: (file, options) => retention.lockedUntilMs(file, options),
        extend: (file) => refuse(inner, doing("locking", file)),
      },
      leftOvers:
        leftOvers &&
        (async (options) => {
          const found = await leftOvers(options);
          return found.map((file) => ({
            ...file,
            remove: () => refuse(inner, `removing ${file.path}`),
          }));
        }),
    });
  }

  protected override performSave(file: RepositoryFile): Promise<void> {
    return refuse(this.inner, doing("saving", file));
  }

  protected override performRemove(file: RepositoryFile): Promise<void> {
    return refuse(this.inner, doing("removing", file));
  }
}

function doing(what: string, file: RepositoryFile): string {
  return `${what} ${fileLabel(file)}`;
}

async function refuse(inner: Backend, what: string): Promise<never> {
  throw new ComebackError("backend.read-only", `${inner.location} is opened only to be read`, {
    why: `${what} would change it`,
    next: "leave --read-only out, or use a command that only reads",
  });
}
