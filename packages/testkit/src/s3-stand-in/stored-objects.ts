import { randomUUID } from "node:crypto";

export interface StoredObject {
  readonly data: Uint8Array;
  readonly etag: string;
  readonly storageClass: string;
  readonly modified: Date;
  /** From when on a thawed copy can be read, and until when; undefined where none was asked for. */
  thawed?: { readonly fromMs: number; readonly untilMs: number; readonly tier: string };
}

export interface MultipartUpload {
  readonly key: string;
  readonly storageClass: string;
  readonly parts: Map<number, Uint8Array>;
}

export interface Bucket {
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, MultipartUpload>;
}

/** Classes whose objects answer `InvalidObjectState` until they are thawed, and their tiers. */
export const ARCHIVE_TIER_HOURS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  GLACIER: { Expedited: 5 / 60, Standard: 5, Bulk: 12 },
  DEEP_ARCHIVE: { Standard: 12, Bulk: 48 },
};

export function newObject(data: Uint8Array, storageClass: string, nowMs: number): StoredObject {
  return { data, etag: `"${randomUUID()}"`, storageClass, modified: new Date(nowMs) };
}

/** The header `x-amz-restore`, where there is one. */
export function restoreHeader(object: StoredObject, nowMs: number): string | undefined {
  const { thawed } = object;
  if (thawed === undefined || nowMs >= thawed.untilMs) return undefined;
  if (nowMs < thawed.fromMs) return 'ongoing-request="true"';
  return `ongoing-request="false", expiry-date="${new Date(thawed.untilMs).toUTCString()}"`;
}

export function isReadable(object: StoredObject, nowMs: number): boolean {
  if (!(object.storageClass in ARCHIVE_TIER_HOURS)) return true;
  return restoreHeader(object, nowMs)?.startsWith('ongoing-request="false"') === true;
}
