import type { Command, OptionValues } from "commander";
import type { RateLimits } from "@comeback/backend-layers";
import type { TlsSettings } from "@comeback/core";
import { fromEnvironment } from "./environment-names.ts";
import { badUsage } from "./option-error.ts";
import { hotLocation } from "./places.ts";
import { parseInteger } from "./parse-values.ts";
import { gather } from "./repeatable.ts";

/** One `-o SCHEME.NAME=VALUE`. The value may be a secret. */
export interface StorageSetting {
  readonly scheme: string;
  readonly name: string;
  readonly value: string;
}

/** How storage is reached; the same for every repository of a command. */
export interface StorageOptions {
  /** In the order given: the last of a name counts. */
  readonly settings: readonly StorageSetting[];
  readonly tls: TlsSettings;
  readonly limits: RateLimits;
  /** The command names more than one, so that a setting may be for another. */
  readonly hasSeveralRepositories: boolean;
  /** Nothing may be changed: every write is refused before it reaches the storage. */
  readonly isReadOnly: boolean;
}

const KiB = 1024;
const LIMIT_MAX_KIB = 1 << 30;
/** A value may have a secret in it: not even one that is no setting is shown beyond its name. */
const SETTING = /^([a-z][a-z0-9]*)\.([a-zA-Z0-9][a-zA-Z0-9-]*)=(.*)$/s;
const PLAIN_NAME = /^[a-zA-Z0-9.-]*/;

export function addStorageOptions(command: Command): Command {
  return command
    .option("-o, --option <name=value>", "storage's own, as s3.region=x; repeatable", gather, [])
    .option("--limit-upload <KiB/s>", "send no faster than this")
    .option("--limit-download <KiB/s>", "receive no faster than this")
    .option("--cacert <file>", "trust this certificate as well; repeatable", gather, [])
    .option("--tls-client-cert <file>", "certificate and key to show who we are")
    .option("--insecure-tls", "trust any server: whoever listens is believed");
}

export function resolveStorageOptions(flags: OptionValues, env: NodeJS.ProcessEnv): StorageOptions {
  const list = (name: string): readonly string[] => (flags[name] as string[] | undefined) ?? [];
  const several =
    hotLocation(flags, env) !== undefined ||
    ["fromRepo", "fromRepositoryFile", "alsoTo"].some((name) => flags[name] !== undefined) ||
    ["FROM_REPOSITORY", "FROM_REPOSITORY_FILE"].some((name) => fromEnvironment(env, name));
  return {
    settings: list("option").map(parseSetting),
    tls: tlsSettings(flags, env, list("cacert")),
    limits: {
      uploadBytesPerSecond: parseLimit("--limit-upload", flags["limitUpload"]),
      downloadBytesPerSecond: parseLimit("--limit-download", flags["limitDownload"]),
    },
    hasSeveralRepositories: several,
    isReadOnly: flags["readOnly"] === true,
  };
}

function parseSetting(text: string): StorageSetting {
  const [, scheme, name, value] = SETTING.exec(text) ?? [];
  if (scheme !== undefined && name !== undefined && value !== undefined) {
    return { scheme, name, value };
  }
  const shown = PLAIN_NAME.exec(text)?.[0] ?? "";
  throw badUsage(`-o ${shown}… is no setting of a storage`, "write it as -o s3.region=eu-west-1");
}

/** Several files stand in one value separated by commas, as restic takes them. */
function tlsSettings(
  flags: OptionValues,
  env: NodeJS.ProcessEnv,
  given: readonly string[],
): TlsSettings {
  const certificates = given.length > 0 ? given : [fromEnvironment(env, "CACERT") ?? ""];
  const paths = certificates.flatMap((text) => text.split(",")).filter((path) => path !== "");
  const client = (flags["tlsClientCert"] as string | undefined) ?? undefined;
  const clientCertificatePath = client ?? fromEnvironment(env, "TLS_CLIENT_CERT");
  return {
    ...(paths.length === 0 ? {} : { caCertificatePaths: paths }),
    ...(clientCertificatePath === undefined ? {} : { clientCertificatePath }),
    ...(flags["insecureTls"] === true ? { isInsecure: true } : {}),
  };
}

/** restic's unit is KiB/s, and its 0 is no limit. */
function parseLimit(option: string, given: unknown): number | undefined {
  if (typeof given !== "string") return undefined;
  return parseInteger(option, given, { min: 0, max: LIMIT_MAX_KIB }) * KiB || undefined;
}
