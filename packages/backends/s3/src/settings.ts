import { ComebackError, S3_CONNECTIONS, S3_CONNECTIONS_MAX } from "@comeback/core";

/** What `-o s3.NAME=VALUE` may name, for people. restic's names where restic has them. */
export const S3_SETTINGS: Readonly<Record<string, string>> = {
  region: "the bucket's region; found out where it can be",
  connections: `calls at the same time (default: ${S3_CONNECTIONS})`,
  "bucket-lookup": "auto, dns (bucket in the host's name) or path (default: auto)",
  "storage-class": "the class of all files but locks, keys and the config",
  "storage-class-data": "the class of packs with file contents alone, such as DEEP_ARCHIVE",
  "list-objects-v1": "true for stores that know the old way of listing only",
  "unsafe-anonymous-auth": "true for a public bucket: no credentials, no signatures",
  sse: "encryption by the store: AES256, aws:kms or aws:kms:dsse",
  "sse-kms-key-id": "the key for aws:kms",
  "sse-c-key-file": "a file with a key of 32 bytes, which the store is handed with each call",
  "object-lock": "governance:DAYS or compliance:DAYS: nobody deletes files before",
};

export interface ObjectLockSetting {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly days: number;
}

export interface S3Settings {
  readonly region: string | undefined;
  readonly connections: number;
  readonly bucketLookup: "auto" | "dns" | "path";
  readonly storageClass: string | undefined;
  readonly storageClassData: string | undefined;
  readonly listObjectsV1: boolean;
  readonly anonymous: boolean;
  readonly sse: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  readonly sseKmsKeyId: string | undefined;
  readonly sseCustomerKeyPath: string | undefined;
  readonly objectLock: ObjectLockSetting | undefined;
}

/** Far beyond any law; a typing error in days must not lock files for a thousand years. */
const LOCK_MAX_DAYS = 36_500;

export function parseS3Settings(given: ReadonlyMap<string, string> = new Map()): S3Settings {
  const text = (name: string): string | undefined => given.get(name) || undefined;
  return {
    region: text("region"),
    connections: connectionsOf(text("connections")),
    bucketLookup: oneOf("bucket-lookup", text("bucket-lookup"), ["auto", "dns", "path"]) ?? "auto",
    storageClass: text("storage-class"),
    storageClassData: text("storage-class-data"),
    listObjectsV1: flagOf("list-objects-v1", text("list-objects-v1")),
    anonymous: flagOf("unsafe-anonymous-auth", text("unsafe-anonymous-auth")),
    sse: oneOf("sse", text("sse"), ["AES256", "aws:kms", "aws:kms:dsse"]),
    sseKmsKeyId: text("sse-kms-key-id"),
    sseCustomerKeyPath: text("sse-c-key-file"),
    objectLock: objectLockOf(text("object-lock")),
  };
}

function connectionsOf(text: string | undefined): number {
  if (text === undefined) return S3_CONNECTIONS;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= S3_CONNECTIONS_MAX) return count;
  throw badSetting("connections", text, `a number from 1 to ${S3_CONNECTIONS_MAX}`);
}

function flagOf(name: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  // What Go's strconv.ParseBool takes, since restic's users may have written any of it.
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badSetting(name, text, "true or false");
}

function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  values: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw badSetting(name, text, values.join(", "));
}

function objectLockOf(text: string | undefined): ObjectLockSetting | undefined {
  if (text === undefined) return undefined;
  const [, mode, days] = /^(governance|compliance):(\d{1,5})$/i.exec(text) ?? [];
  if (mode === undefined || Number(days) < 1 || Number(days) > LOCK_MAX_DAYS) {
    const wanted = `governance:DAYS or compliance:DAYS, with 1 to ${LOCK_MAX_DAYS} days`;
    throw badSetting("object-lock", text, wanted);
  }
  return { mode: mode.toUpperCase() as ObjectLockSetting["mode"], days: Number(days) };
}

function badSetting(name: string, value: string, wanted: string): ComebackError {
  return new ComebackError("option.invalid", `-o s3.${name} cannot be "${value}"`, {
    next: `give ${wanted}`,
  });
}
