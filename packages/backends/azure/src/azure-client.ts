import type { Agent } from "node:http";
import {
  AnonymousCredential,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { RequestPolicyFactory } from "@azure/storage-blob";
import type { TokenCredential } from "@azure/identity";
import { AZURE_TOKEN_PROGRAM_MS } from "@comeback/core";
import type { AzureCredential } from "./azure-credential.ts";
import type { AzureSettings } from "./azure-settings.ts";

/** The SDK's client of a container, on our connections and without retries of its own. */
export async function makeContainerClient(
  settings: AzureSettings,
  container: string,
  agent: Agent,
): Promise<ContainerClient> {
  const { accountName, credential, endpoint } = settings;
  const pipeline = newPipeline(await sdkCredential(credential, accountName, agent), {
    retryOptions: { maxTries: 1 },
    userAgentOptions: { userAgentPrefix: "comeback" },
  });
  // Before any other of the SDK's choice: a proxy's agent, for one, would trust other authorities.
  const onOurConnections: RequestPolicyFactory = {
    create: (next) => ({
      sendRequest(request) {
        request.agent = agent;
        return next.sendRequest(request);
      },
    }),
  };
  pipeline.factories.push(onOurConnections);
  const query = credential.kind === "signature" ? `?${credential.query}` : "";
  return new ContainerClient(`${endpoint}/${container}${query}`, pipeline);
}

async function sdkCredential(
  credential: AzureCredential,
  accountName: string,
  agent: Agent,
): Promise<StorageSharedKeyCredential | AnonymousCredential | TokenCredential> {
  if (credential.kind === "account-key") {
    return new StorageSharedKeyCredential(accountName, credential.key);
  }
  // A signature is part of every URL.
  if (credential.kind === "signature") return new AnonymousCredential();
  // Loaded for those alone who use it: it takes as long as all the rest.
  const { AzureCliCredential, DefaultAzureCredential } = await import("@azure/identity");
  const processTimeoutInMs = AZURE_TOKEN_PROGRAM_MS;
  if (credential.isCliOnly) return new AzureCliCredential({ processTimeoutInMs });
  return new DefaultAzureCredential({
    processTimeoutInMs,
    additionalPolicies: [
      {
        position: "perRetry",
        policy: {
          name: "comebackConnections",
          sendRequest(request, next) {
            // Tokens of this machine's own service come over HTTP, which this agent may not speak.
            if (request.url.startsWith("https:")) request.agent = agent;
            return next(request);
          },
        },
      },
    ],
  });
}
