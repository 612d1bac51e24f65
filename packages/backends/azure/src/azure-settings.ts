import { AZURE_CONNECTIONS_DEFAULT, AZURE_CONNECTIONS_MAX, ComebackError } from "@comeback/core";
import type { OpenBackendOptions, RepositoryFile, SaveOptions } from "@comeback/core";
import { readCredential } from "./azure-credential.ts";
import type { AzureCredential } from "./azure-credential.ts";

/** What `-o azure.NAME=VALUE` may name. */
export const AZURE_SETTINGS: Readonly<Record<string, string>> = {
  "access-tier":
    "the tier of what is saved: Hot, Cool, Cold, or Archive for packs of file contents alone " +
    "(default: the account's)",
  "access-tier-data": "the tier of packs of file contents alone: Hot, Cool, Cold or Archive",
  connections: `calls at the same time (default: ${AZURE_CONNECTIONS_DEFAULT})`,
  endpoint: "the URL of the account's blob service, where it is not Azure's own (an emulator's)",
};

/** Tiers by their names in lower case. Archive is the one that cannot be read at once. */
const TIERS = { hot: "Hot", cool: "Cool", cold: "Cold", archive: "Archive" } as const;
export type AccessTier = (typeof TIERS)[keyof typeof TIERS];

const SUFFIX_DEFAULT = "core.windows.net";

export interface AzureSettings {
  /** The URL of the account's blob service, without a slash at its end. */
  readonly endpoint: string;
  readonly accountName: string;
  readonly credential: AzureCredential;
  readonly connections: number;
  readonly tier: AccessTier | undefined;
  readonly dataTier: AccessTier | undefined;
}

/** What the options and the environment (restic's variables) say. */
export function readAzureSettings(options: OpenBackendOptions): AzureSettings {
  const env = options.env ?? {};
  const settings = options.settings ?? new Map<string, string>();
  const accountName = env["AZURE_ACCOUNT_NAME"] ?? "";
  const tier = readTier("access-tier", settings);
  return {
    endpoint: readEndpoint(settings.get("endpoint"), env["AZURE_ENDPOINT_SUFFIX"], accountName),
    accountName,
    credential: readCredential(env, accountName),
    connections: readConnections(settings.get("connections")),
    tier,
    dataTier: readTier("access-tier-data", settings) ?? tier,
  };
}

/**
 * The tier a file is saved in; undefined leaves it to the account. Only packs of file contents go
 * into the archive, as restic has it too: nothing could be opened without all the others.
 */
export function tierFor(
  settings: Pick<AzureSettings, "tier" | "dataTier">,
  file: RepositoryFile,
  packContent: SaveOptions["packContent"],
): AccessTier | undefined {
  if (file.type === "pack" && packContent === "data") return settings.dataTier;
  return settings.tier === "Archive" ? undefined : settings.tier;
}

function readEndpoint(
  endpoint: string | undefined,
  suffix: string | undefined,
  accountName: string,
): string {
  if (endpoint !== undefined && endpoint !== "") return cleanEndpoint(endpoint);
  if (accountName === "") {
    throw new ComebackError("backend.credentials", "no Azure storage account is given", {
      next: "set AZURE_ACCOUNT_NAME to the account's name",
    });
  }
  const badSuffix = suffix !== undefined && !/^[A-Za-z0-9.-]*(:\d+)?$/.test(suffix);
  if (!/^[a-z0-9]{3,24}$/.test(accountName) || badSuffix) {
    throw new ComebackError("option.invalid", "that is no name of an Azure storage account", {
      why: badSuffix
        ? "AZURE_ENDPOINT_SUFFIX is no host name"
        : "AZURE_ACCOUNT_NAME must be 3 to 24 lower-case letters and digits",
      next: "take the names from the account's page in the portal",
    });
  }
  return `https://${accountName}.blob.${suffix === undefined || suffix === "" ? SUFFIX_DEFAULT : suffix}`;
}

function cleanEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url?.search === "" && url.hash === "" && url.username === "";
  if (url === undefined || !isPlain || !["http:", "https:"].includes(url.protocol)) {
    throw new ComebackError("option.invalid", "azure.endpoint is no URL of a blob service", {
      why: "it must begin with https:// (or http://) and have no user, query or fragment",
      next: "write it as -o azure.endpoint=https://ACCOUNT.blob.example.net",
    });
  }
  return url.href.replace(/\/+$/, "");
}

function readConnections(text: string | undefined): number {
  if (text === undefined) return AZURE_CONNECTIONS_DEFAULT;
  const connections = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (connections >= 1 && connections <= AZURE_CONNECTIONS_MAX) return connections;
  throw new ComebackError("option.invalid", "azure.connections is no number of connections", {
    next: `use a number from 1 to ${AZURE_CONNECTIONS_MAX}`,
  });
}

function readTier(
  name: "access-tier" | "access-tier-data",
  settings: ReadonlyMap<string, string>,
): AccessTier | undefined {
  const text = settings.get(name)?.toLowerCase();
  if (text === undefined || text === "") return undefined;
  if (Object.hasOwn(TIERS, text)) return TIERS[text as keyof typeof TIERS];
  throw new ComebackError("option.invalid", `azure.${name} is no tier`, {
    next: `use ${Object.values(TIERS).join(", ")}`,
  });
}
