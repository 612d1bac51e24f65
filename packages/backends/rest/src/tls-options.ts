import { readFile } from "node:fs/promises";
import { createSecureContext, getCACertificates } from "node:tls";
import { ComebackError, messageOf } from "@comeback/core";
import type { TlsSettings } from "@comeback/core";
import type { TlsOptions } from "./http1-transport.ts";

const PEM = /-----BEGIN [A-Z0-9 ]+-----/;

/** What a connection is to trust and to show, from the user's files. */
export async function readTlsOptions(settings: TlsSettings = {}): Promise<TlsOptions> {
  const own: string[] = [];
  for (const path of settings.caCertificatePaths ?? []) {
    own.push(await readPem(path, "certificates of authorities (--cacert)"));
  }
  const client =
    settings.clientCertificatePath === undefined
      ? undefined
      : await readPem(settings.clientCertificatePath, "client certificate (--tls-client-cert)");
  try {
    // Made once: to read a hundred and fifty authorities for each connection takes longer than it.
    const secureContext = createSecureContext({
      ca: [...trustedBySystem(), ...own],
      ...(client === undefined ? {} : { cert: client, key: client }),
    });
    return { rejectUnauthorized: settings.isInsecure !== true, secureContext };
  } catch (cause) {
    throw new ComebackError("option.invalid", "the TLS certificates cannot be used", {
      why: messageOf(cause),
      next: "--tls-client-cert is one PEM file with a certificate and its key, not encrypted",
    });
  }
}

/** The system's authorities, as for all other programs of the machine; else those of Node. */
function trustedBySystem(): readonly string[] {
  const system = getCACertificates("system");
  return system.length > 0 ? system : getCACertificates("bundled");
}

async function readPem(path: string, what: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ComebackError("option.invalid", `the file of ${what} cannot be read`, {
      next: `check ${path}`,
      cause,
    });
  });
  if (PEM.test(text)) return text;
  throw new ComebackError("option.invalid", `the file of ${what} holds none`, {
    why: `${path} is not in PEM format`,
    next: "convert it, for example with `openssl x509 -inform der -in FILE -out FILE.pem`",
  });
}
