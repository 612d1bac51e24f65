import { RestoreObjectCommand } from "@aws-sdk/client-s3";
import type { HeadObjectCommandOutput, Tier } from "@aws-sdk/client-s3";
import { ComebackError } from "@comeback/core";
import type {
  ArchivedPack,
  ArchiveState,
  BackendArchive,
  OperationOptions,
  RepositoryFile,
} from "@comeback/core";
import { keyOf } from "./layout.ts";
import { headObject, sending } from "./load-object.ts";
import type { ObjectStore } from "./object-store.ts";
import type { RunCall } from "./retention.ts";
import { isMissing, serviceCode } from "./s3-errors.ts";
import { isArchived, tiersOf } from "./storage-class.ts";

/** Packs in classes that have to be thawed before they can be read. */
export function archiveOf(store: ObjectStore, run: RunCall): BackendArchive {
  return {
    tiers: tiersOf,
    states: (names, options = {}) => states({ store, run, names, options }),
    thaw: (name, options) => {
      const file: RepositoryFile = { type: "pack", name };
      return run(file, "thawing", "s3:RestoreObject", options, () => thaw(store, file, options));
    },
  };
}

interface StatesRequest {
  readonly store: ObjectStore;
  readonly run: RunCall;
  readonly names: Iterable<string>;
  readonly options: OperationOptions;
}

/** A window of calls that moves on: the next name is asked for as soon as one is answered. */
async function* states(request: StatesRequest): AsyncGenerator<ArchivedPack> {
  const { store, names } = request;
  const under = new Map<number, Promise<{ id: number; pack: ArchivedPack | undefined }>>();
  const rest = names[Symbol.iterator]();
  let next = 0;
  const startOne = (): boolean => {
    const { value, done } = rest.next();
    if (done === true) return false;
    const id = next++;
    const answer = stateOf(request, value).then((pack) => ({ id, pack }));
    // It is awaited below, maybe only after the caller has looked at others for a while.
    answer.catch(() => undefined);
    under.set(id, answer);
    return true;
  };
  try {
    while (under.size < store.settings.connections && startOne());
    while (under.size > 0) {
      const { id, pack } = await Promise.race(under.values());
      under.delete(id);
      startOne();
      if (pack !== undefined) yield pack;
    }
  } finally {
    await Promise.allSettled(under.values());
  }
}

async function stateOf(request: StatesRequest, name: string): Promise<ArchivedPack | undefined> {
  const { store, run, options } = request;
  const file: RepositoryFile = { type: "pack", name };
  return await run(file, "looking up", "s3:GetObject", options, async () => {
    try {
      const head = await headObject(store, file, options.signal);
      const storageClass = head.StorageClass ?? "STANDARD";
      return { name, sizeBytes: head.ContentLength ?? 0, storageClass, state: stateIn(head) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}

/** As the header `x-amz-restore` says it: `ongoing-request="false", expiry-date="…"` once thawed. */
export function stateIn(
  head: Pick<HeadObjectCommandOutput, "StorageClass" | "ArchiveStatus" | "Restore">,
): ArchiveState {
  const isCold = isArchived(head.StorageClass ?? "STANDARD") || head.ArchiveStatus !== undefined;
  if (!isCold) return "readable";
  const ongoing = /ongoing-request="(true|false)"/.exec(head.Restore ?? "")?.[1];
  if (ongoing === undefined) return "archived";
  return ongoing === "true" ? "thawing" : "readable";
}

async function thaw(
  store: ObjectStore,
  file: RepositoryFile,
  options: OperationOptions & { readonly tier: string; readonly days: number },
): Promise<void> {
  if (!Number.isInteger(options.days) || options.days < 1) {
    throw new ComebackError("option.invalid", "a pack is thawed for whole days, at least one");
  }
  const head = await headObject(store, file, options.signal);
  if (stateIn(head) === "thawing") return;
  // The tiers that archive themselves bring an object back for good.
  const days = head.ArchiveStatus === undefined ? { Days: options.days } : {};
  const command = new RestoreObjectCommand({
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    RestoreRequest: { ...days, GlacierJobParameters: { Tier: options.tier as Tier } },
  });
  try {
    await store.client.send(command, sending(options.signal));
  } catch (error) {
    if (serviceCode(error) !== "RestoreAlreadyInProgress") throw error;
  }
}
