import { after } from "node:test";
import { backendConformance } from "@comeback/testkit";
import { memoryFolder } from "../../drivers/scratch.ts";
import { makeCertificates } from "../../services/rclone/certificates.ts";
import { startRcloneServer } from "../../services/rclone/rest-servers.ts";
import { restFixture } from "./rest-fixture.ts";

// rclone 1.60 shows files of its local remote while they are being written, which no cloud store
// does: its memory remote shows them whole, as those do.
const scratch = memoryFolder("rclone-server");
const certificates = makeCertificates(scratch);

const http = await startRcloneServer({ data: ":memory:bucket" });
after(() => http[Symbol.asyncDispose]());
backendConformance("rclone serve restic", () => restFixture({ url: http.url }));

const https = await startRcloneServer({
  data: ":memory:bucket",
  user: { name: "ada", password: "secret of ada" },
  tls: certificates.server,
  clientAuthority: certificates.authority.certificate,
});
after(() => https[Symbol.asyncDispose]());
const tls = {
  caCertificatePaths: [certificates.authority.certificate],
  clientCertificatePath: certificates.client.both,
};
backendConformance("rclone serve restic, TLS, client certificate", () =>
  restFixture({ url: https.url, tls }),
);

const settings = new Map([["http2", "true"]]);
backendConformance("rclone serve restic, HTTP/2", () =>
  restFixture({ url: https.url, tls, settings }),
);
