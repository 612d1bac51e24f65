import type { DestinationSettings, SecretWorld } from "@comeback/operations";
import { resolveText } from "@comeback/operations";

/** Variables that say together who somebody is: half of one identity and half of another is nobody. */
const IDENTITIES: readonly (readonly string[])[] = [
  [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "RESTIC_AWS_ASSUME_ROLE_ARN",
  ],
  [
    "AZURE_ACCOUNT_NAME",
    "AZURE_ACCOUNT_KEY",
    "AZURE_ACCOUNT_SAS",
    "AZURE_FORCE_CLI_CREDENTIAL",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
  ],
  [
    "COMEBACK_REST_USERNAME",
    "COMEBACK_REST_PASSWORD",
    "RESTIC_REST_USERNAME",
    "RESTIC_REST_PASSWORD",
  ],
];

/**
 * What a destination's storage finds in the environment: the process's own, and over it what the
 * destination says. Where it says who it is, nothing of another identity is left.
 */
export async function destinationEnvironment(
  settings: DestinationSettings,
  world: SecretWorld,
  name: string,
): Promise<NodeJS.ProcessEnv> {
  const own: NodeJS.ProcessEnv = {};
  for (const [variable, given] of Object.entries(settings.environment)) {
    own[variable] = await resolveText(given, world, `destinations.${name}.environment.${variable}`);
  }
  const replaced = new Set(
    IDENTITIES.filter((identity) => identity.some((variable) => variable in own)).flat(),
  );
  const inherited = Object.entries(world.env).filter(([variable]) => !replaced.has(variable));
  return { ...Object.fromEntries(inherited), ...own };
}
