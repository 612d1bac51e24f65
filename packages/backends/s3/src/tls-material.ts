import { readFile } from "node:fs/promises";
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { ComebackError } from "@comeback/core";
import type { TlsSettings } from "@comeback/core";

/** What Node's TLS is given. */
export interface TlsMaterial {
  /** Made once: to read hundreds of certificates anew for every connection would cost. */
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

/** Reads the files that a user named for TLS; the authorities of Node and of the system stay. */
export async function readTlsMaterial(tls: TlsSettings = {}): Promise<TlsMaterial> {
  const { caCertificatePaths = [], clientCertificatePath, isInsecure = false } = tls;
  const own = await Promise.all(caCertificatePaths.map((path) => readPem(path, "--cacert")));
  const client =
    clientCertificatePath === undefined
      ? undefined
      : await readPem(clientCertificatePath, "--tls-client-cert");
  // Node trusts a list of its own; one's company's authority is in the system's.
  const ca = [
    ...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...own]),
  ];
  try {
    const secureContext = createSecureContext({
      ca,
      ...(client === undefined ? {} : { cert: client, key: client }),
    });
    return isInsecure ? { secureContext, rejectUnauthorized: false } : { secureContext };
  } catch (cause) {
    throw new ComebackError("option.invalid", "the certificates given for TLS cannot be used", {
      next: "check that the files of --cacert and --tls-client-cert are whole PEM files",
      cause,
    });
  }
}

async function readPem(path: string, option: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new ComebackError("option.invalid", `the file of ${option} cannot be read`, {
      next: `check the path: ${path}`,
      cause,
    });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new ComebackError("option.invalid", `the file of ${option} has no certificate in it`, {
    why: `${path} has no line that begins with -----BEGIN`,
    next: "name a file in PEM format",
  });
}
