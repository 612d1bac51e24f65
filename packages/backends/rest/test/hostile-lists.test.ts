import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListedFile } from "@comeback/core";
import { ComebackError } from "@comeback/core";
import { hostileServer, V2 } from "./hostile-server.ts";

const NAMES = Array.from({ length: 7 }, (_, i) => String(i).repeat(64));

async function listed(
  body: string,
  type: string = V2,
): Promise<{ files: ListedFile[]; seen: readonly string[] }> {
  await using server = await hostileServer((request, response) => {
    if (request.method === "HEAD") {
      const isThere = NAMES.some((name) => request.url === `/data/${name}`);
      response.writeHead(isThere ? 200 : 404, { "content-length": "9" }).end();
    } else response.writeHead(200, { "content-type": type }).end(body);
  });
  const files = await Array.fromAsync(server.backend.list("pack"));
  return { files, seen: server.seen };
}

test("version 2 lists names and sizes", async () => {
  const entries = NAMES.map((name, i) => ({ size: i, name }));
  const { files } = await listed(JSON.stringify(entries));
  assert.deepEqual(
    files,
    entries.map(({ name, size }) => ({ name, sizeBytes: size })),
  );
});

test("version 1 lists names, whose sizes are asked for", async () => {
  const { files, seen } = await listed(JSON.stringify(NAMES), "application/vnd.x.restic.rest.v1");
  assert.deepEqual(
    files,
    NAMES.map((name) => ({ name, sizeBytes: 9 })),
  );
  assert.equal(seen.filter((call) => call.startsWith("HEAD ")).length, NAMES.length);
});

test("in version 1, what goes while it is listed is passed over", async () => {
  const gone = "f".repeat(64);
  const { files } = await listed(JSON.stringify([gone, NAMES[0]]), "application/json");
  assert.deepEqual(files, [{ name: NAMES[0], sizeBytes: 9 }]);
});

test("names that are not ours are passed over", async () => {
  const strange = ["", "..", "../../etc/passwd", "AB".repeat(32), `${"a".repeat(64)}-tmp`, "ü"];
  const entries = [...strange, NAMES[3]].map((name) => ({ name, size: 5 }));
  const { files } = await listed(JSON.stringify(entries));
  assert.deepEqual(files, [{ name: NAMES[3], sizeBytes: 5 }]);
});

test("an empty list is empty, however it is written", async () => {
  for (const body of ["[]", " [ ] \n", "null", "null\n"]) {
    assert.deepEqual((await listed(body)).files, []);
  }
});

test("what is no list of files is an error, not an empty list", async () => {
  const good = JSON.stringify({ name: NAMES[0], size: 1 });
  const bodies = [
    "",
    "{}",
    "<html>log in first</html>",
    `[${good}`,
    `[${good},`,
    `[${good},]`,
    `[${good}] []`,
    `[${good}}`,
    `[{"name":"${NAMES[0]}","size":-1}]`,
    `[{"name":"${NAMES[0]}","size":"1"}]`,
    `[{"name":"${NAMES[0]}"}]`,
    `[{"size":1}]`,
    `[null]`,
    `["${NAMES[0]}"]`,
    `[{"name":"${"x".repeat(70_000)}","size":1}]`,
    "nul",
    "nullnull",
  ];
  for (const body of bodies) {
    await assert.rejects(listed(body), (error: unknown) => {
      assert.ok(error instanceof ComebackError, `${body}: ${String(error)}`);
      assert.equal(error.code, "backend.io", body);
      assert.equal(error.retryable, true, body);
      return true;
    });
  }
});

test("an endless list is taken as it comes, and left when the caller leaves", async () => {
  let written = 0;
  const entry = (): string => {
    const name = (written++).toString(16).padStart(64, "0");
    return `{"name":"${name}","size":1},`;
  };
  await using server = await hostileServer((_, response) => {
    response.writeHead(200, { "content-type": V2 }).write("[");
    const more = (): void => {
      while (!response.destroyed) {
        if (!response.write(Array.from({ length: 1000 }, entry).join(""))) break;
      }
    };
    response.on("drain", more);
    more();
  });
  let seen = 0;
  const before = process.memoryUsage().heapUsed;
  for await (const file of server.backend.list("pack")) {
    assert.equal(file.sizeBytes, 1);
    if (++seen === 50_000) break;
  }
  assert.equal(seen, 50_000);
  assert.ok(process.memoryUsage().heapUsed - before < 200 * 2 ** 20);
});

test("an empty list is believed only while the config is there", async () => {
  const state = { hasConfig: true, status: 200 };
  await using server = await hostileServer(
    (_, response) => void response.writeHead(state.status, { "content-type": V2 }).end("[]"),
    { hasConfig: () => state.hasConfig },
  );
  const { backend } = server;
  // A folder that was never made has no list.
  for (state.status of [200, 404]) {
    state.hasConfig = true;
    assert.deepEqual(await Array.fromAsync(backend.list("snapshot")), []);
    state.hasConfig = false;
    const gone = { code: "backend.not-mounted", retryable: true };
    await assert.rejects(Array.fromAsync(backend.list("snapshot")), gone);
  }
});
