import { join } from "node:path";
import { after } from "node:test";
import { backendConformance } from "@comeback/testkit";
import { memoryFolder } from "../../drivers/scratch.ts";
import { makeCertificates } from "../../services/rclone/certificates.ts";
import { startRestServer, startRestServerOnSocket } from "../../services/rclone/rest-servers.ts";
import { restFixture } from "./rest-fixture.ts";

const scratch = memoryFolder("rest-server");
const certificates = makeCertificates(scratch);
const user = { name: "ada", password: "p@ss:wörd/%41" };

const plain = join(scratch, "plain");
const http = await startRestServer({ data: plain, trustsNames: true });
after(() => http[Symbol.asyncDispose]());
backendConformance("rest-server", () => restFixture({ url: http.url, folder: plain }));

const secure = { data: join(scratch, "tls"), user, tls: certificates.server, trustsNames: true };
const https = await startRestServer(secure);
after(() => https[Symbol.asyncDispose]());
const tls = { caCertificatePaths: [certificates.authority.certificate] };
backendConformance("rest-server, TLS, password", () => restFixture({ url: https.url, tls }));

const settings = new Map([["http2", "true"]]);
backendConformance("rest-server, HTTP/2", () => restFixture({ url: https.url, tls, settings }));

const socket = await startRestServerOnSocket(join(scratch, "socket"));
after(() => socket[Symbol.asyncDispose]());
backendConformance("rest-server, on a socket", () => restFixture({ url: socket.url }));
