import {
  AZURE_CONNECTIONS_SPARE,
  AZURE_IDLE_TIMEOUT_MS,
  ComebackError,
  ExitCode,
} from "@comeback/core";
import type { Backend, BackendFactory, OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { makeAgent } from "./azure-agent.ts";
import { AzureBackend } from "./azure-backend.ts";
import type { AzureParts } from "./azure-backend.ts";
import { makeContainerClient } from "./azure-client.ts";
import { azureError, failureCode } from "./azure-errors.ts";
import { blobNameOf } from "./azure-layout.ts";
import { parseAzureLocation } from "./azure-location.ts";
import { AZURE_SETTINGS, readAzureSettings } from "./azure-settings.ts";

/** Repositories in Azure Blob Storage: `azure:CONTAINER:/PREFIX`, as restic writes it. */
export const azureBackendFactory: BackendFactory = {
  scheme: "azure",
  settings: AZURE_SETTINGS,
  create: (location, options) => createAzure(location, options),
  open: (location, options) => openAzure(location, options),
};

/** Makes the container where there is none; a repository needs no more than it. */
async function createAzure(location: string, options: OpenBackendOptions = {}): Promise<Backend> {
  return await connect(location, options, "making the repository", async (parts) => {
    const found = await lookForConfig(parts, options.signal);
    if (found === "there") {
      const { url } = parts.place;
      throw new ComebackError("repository.exists", `there is already a repository at ${url}`, {
        next: "use it as it is, or choose another path",
      });
    }
    if (found === "no container") await makeContainer(parts, options.signal);
  });
}

async function openAzure(location: string, options: OpenBackendOptions = {}): Promise<Backend> {
  return await connect(location, options, "opening the repository", async (parts) => {
    const found = await lookForConfig(parts, options.signal);
    if (found === "there") return;
    const { container, host, url } = parts.place;
    throw new ComebackError("repository.none", `there is no repository at ${url}`, {
      why:
        found === "no container"
          ? `there is no container ${container} in ${host}`
          : "there is no blob named config",
      next: `check the account and the path, or make a new repository with \`comeback -r ${url} init\``,
      exitCode: ExitCode.noRepository,
    });
  });
}

async function connect(
  location: string,
  options: OpenBackendOptions,
  doing: string,
  prepare: (parts: AzureParts) => Promise<void>,
): Promise<Backend> {
  const { clock = systemClock, env = {}, signal, tls = {} } = options;
  const { container, prefix, url } = parseAzureLocation(location);
  const settings = readAzureSettings(options);
  signal?.throwIfAborted();
  const endpoint = new URL(settings.endpoint);
  const agent = makeAgent({
    isEncrypted: endpoint.protocol === "https:",
    maxConnections: settings.connections + AZURE_CONNECTIONS_SPARE,
    idleTimeoutMs: AZURE_IDLE_TIMEOUT_MS,
    tls,
    env,
  });
  const { credential } = settings;
  const place = { url, container, host: endpoint.host, credential, clock };
  try {
    const client = await makeContainerClient(settings, container, agent);
    const parts = { container: client, agent, settings, place, prefix };
    await prepare(parts);
    return new AzureBackend(parts);
  } catch (error) {
    agent.destroy();
    signal?.throwIfAborted();
    throw azureError(place, doing, error);
  }
}

/** One call that a signature for the container alone allows as well. */
async function lookForConfig(
  parts: AzureParts,
  signal: AbortSignal | undefined,
): Promise<"there" | "no config" | "no container"> {
  const name = blobNameOf(parts.prefix, { type: "config", name: "" });
  try {
    const options = signal === undefined ? {} : { abortSignal: signal };
    await parts.container.getBlobClient(name).getProperties(options);
    return "there";
  } catch (error) {
    const code = failureCode(error);
    if (code === "BlobNotFound") return "no config";
    if (code === "ContainerNotFound") return "no container";
    throw error;
  }
}

async function makeContainer(
  { container }: AzureParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await container.create(signal === undefined ? {} : { abortSignal: signal });
  } catch (error) {
    // Made by another in this moment.
    if (failureCode(error) !== "ContainerAlreadyExists") throw error;
  }
}
