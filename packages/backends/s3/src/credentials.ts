import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { ComebackError, S3_METADATA_MAX_MS } from "@comeback/core";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}
export type CredentialsProvider = () => Promise<Credentials>;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where the keys come from: the environment first, as restic takes them; then AWS's own chain
 * (profiles, SSO, a program, a web identity, the metadata of a container or machine). restic's
 * variables for a role to assume are followed too.
 */
export function credentialsFrom(env: Env, region: string): CredentialsProvider {
  const own = keysOf(env) ?? chain(env);
  const role = env["RESTIC_AWS_ASSUME_ROLE_ARN"];
  if (role === undefined || role === "") return own;
  const optional = {
    RoleSessionName: env["RESTIC_AWS_ASSUME_ROLE_SESSION_NAME"],
    ExternalId: env["RESTIC_AWS_ASSUME_ROLE_EXTERNAL_ID"],
    Policy: env["RESTIC_AWS_ASSUME_ROLE_POLICY"],
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined && value !== "");
  const endpoint = env["RESTIC_AWS_ASSUME_ROLE_STS_ENDPOINT"];
  return fromTemporaryCredentials({
    masterCredentials: own,
    params: { RoleArn: role, ...(Object.fromEntries(given) as Partial<typeof optional>) } as {
      RoleArn: string;
    },
    clientConfig: {
      region: env["RESTIC_AWS_ASSUME_ROLE_REGION"] || region,
      ...(endpoint === undefined || endpoint === "" ? {} : { endpoint }),
    },
  });
}

function keysOf(env: Env): CredentialsProvider | undefined {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"] ?? "";
  if (accessKeyId === "" && secretAccessKey === "") return undefined;
  if (accessKeyId === "" || secretAccessKey === "") {
    const [missing, there] =
      accessKeyId === ""
        ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        : ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"];
    throw new ComebackError("backend.credentials", `${missing} is not set, but ${there} is`, {
      next: "set both, or neither to use a profile",
    });
  }
  const token = env["AWS_SESSION_TOKEN"] ?? "";
  const keys = { accessKeyId, secretAccessKey, ...(token === "" ? {} : { sessionToken: token }) };
  return () => Promise.resolve(keys);
}

function chain(env: Env): CredentialsProvider {
  const options = {
    profile: env["AWS_PROFILE"],
    filepath: env["AWS_SHARED_CREDENTIALS_FILE"],
    configFilepath: env["AWS_CONFIG_FILE"],
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== "");
  return fromNodeProviderChain({
    ...Object.fromEntries(given),
    // A machine outside of a cloud has nobody who answers: one second, and once.
    timeout: S3_METADATA_MAX_MS,
    maxRetries: 0,
  });
}
