import { backendConformance } from "@comeback/testkit";
import { sftpFixture, startPlace } from "./sftp-fixture.ts";

const place = await startPlace("sftp-conformance");

backendConformance("sftp", () => sftpFixture(place));
