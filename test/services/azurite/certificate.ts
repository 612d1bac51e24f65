import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  /** The authority that signed it, which nobody trusts but who is told to. */
  readonly authorityPath: string;
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** A server's certificate for these names, by an authority of its own. */
export function makeCertificate(folder: string, names: readonly string[]): Certificate {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const days = ["-days", "2"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    ...days,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Test",
  );
  openssl(
    "req",
    ...newKey,
    "-keyout",
    "key.pem",
    "-out",
    "request.pem",
    "-subj",
    "/CN=Test server",
  );
  const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  writeFileSync(at("extensions"), `subjectAltName=${alternatives.join(",")}\n`);
  const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  openssl(
    "x509",
    "-req",
    "-in",
    "request.pem",
    ...authority,
    ...days,
    "-out",
    "certificate.pem",
    "-extfile",
    "extensions",
  );
  return {
    authorityPath: at("ca.pem"),
    certificatePath: at("certificate.pem"),
    keyPath: at("key.pem"),
  };
}
