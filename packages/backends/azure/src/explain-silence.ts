import type { AzureFailure, AzurePlace, Explanation } from "./azure-errors.ts";

const UNTRUSTED =
  /^(ERR_TLS|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|ERR_OSSL|ERR_SSL|EPROTO)/;

/** Failures in which no answer came: names, connections, certificates. */
export function explainSilence(place: AzurePlace, failure: AzureFailure): Explanation {
  const { code, doing } = failure;
  const { host } = place;
  if (code === "ENOTFOUND") {
    return {
      code: "backend.unknown-host",
      message: `there is no host ${host}`,
      why: `${doing}: its name is not known; a storage account has a host of its name`,
      next: "check AZURE_ACCOUNT_NAME and AZURE_ENDPOINT_SUFFIX, and that this machine is online",
    };
  }
  if (UNTRUSTED.test(code)) {
    return {
      code: "backend.misconfigured",
      message: `no trusted connection to ${host}`,
      why: `${doing}: TLS failed`,
      next: "if a proxy or a server of your own is in between, name its authority with --cacert",
    };
  }
  return {
    code: "backend.unreachable",
    message: `${host} does not answer`,
    why: `${doing} was interrupted`,
    next: "check the network (and HTTPS_PROXY, where one is needed), then repeat the command",
    retryable: true,
  };
}
