import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../drivers/scratch.ts";

/** A certificate and its key, each in a PEM file, and both in one. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** An authority of the test's own, and what it signed. */
export interface Certificates {
  readonly authority: Certificate;
  /** For localhost and 127.0.0.1. */
  readonly server: Certificate;
  readonly expired: Certificate;
  /** For another host. */
  readonly elsewhere: Certificate;
  readonly client: Certificate;
  /** An authority that signed none of them. */
  readonly stranger: Certificate;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

export function makeCertificates(scratch: string): Certificates {
  const folder = makeFolder(scratch, "certificates");
  const place = (name: string): Certificate => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
    both: join(folder, `${name}-both.pem`),
  });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authorityOf = (name: string): Certificate => {
    const made = place(name);
    const subject = ["-subj", `/CN=${name}`, "-days", "2"];
    openssl("req", "-x509", ...newKey, ...subject, "-keyout", made.key, "-out", made.certificate);
    return finish(made);
  };
  const authority = authorityOf("authority");
  const signed = (name: string, extension: string, days: readonly string[]): Certificate => {
    const made = place(name);
    const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
    writeFileSync(extensions, extension);
    openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", made.key, "-out", request);
    const by = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"];
    const into = ["-in", request, "-extfile", extensions, "-out", made.certificate];
    openssl("x509", "-req", ...by, ...days, ...into);
    return finish(made);
  };
  const valid = ["-days", "2"];
  const local = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  return {
    authority,
    server: signed("server", local, valid),
    expired: signed("expired", local, ["-days", "-1"]),
    elsewhere: signed("elsewhere", "subjectAltName=DNS:elsewhere.example\n", valid),
    client: signed("client", "extendedKeyUsage=clientAuth\n", valid),
    stranger: authorityOf("stranger"),
  };
}

function finish(made: Certificate): Certificate {
  writeFileSync(made.both, readFileSync(made.certificate, "utf8") + readFileSync(made.key, "utf8"));
  return made;
}
