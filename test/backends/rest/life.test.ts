import { join } from "node:path";
import { test } from "node:test";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";
import {
  startRcloneServer,
  startRestServer,
  startRestServerOnSocket,
} from "../../services/rclone/rest-servers.ts";
import { liveThrough } from "./repository-life.ts";

const scratch = scratchFolder("rest-life");
const user = { name: "ada", password: "p@ss:w/%41" };

test("a repository's life on rest-server, with a password", async () => {
  const place = makeFolder(scratch, "rest-server");
  await using server = await startRestServer({ data: join(place, "data"), user });
  const folder = join(place, "data/laptop");
  await liveThrough(place, { location: `${server.url}/laptop/`, folder }, 701);
});

test("a repository's life on rclone serve restic, user and password from the environment", async () => {
  const place = makeFolder(scratch, "rclone");
  await using server = await startRcloneServer({ data: makeFolder(place, "data"), user });
  const location = server.url.replace(/\/\/.*@/, "//");
  const env = { RESTIC_REST_USERNAME: user.name, RESTIC_REST_PASSWORD: user.password };
  // restic 0.14 does not know them yet.
  await liveThrough(
    place,
    {
      location: `${location}/laptop/`,
      locationFor014: `${server.url}/laptop/`,
      env,
      folder: join(place, "data/laptop"),
    },
    702,
  );
});

test("a repository's life on a socket", async () => {
  const place = makeFolder(scratch, "socket");
  await using server = await startRestServerOnSocket(join(place, "data"));
  const folder = join(place, "data/repositories/laptop");
  await liveThrough(
    place,
    { location: `${server.url}/laptop/`, locationFor014: folder, folder },
    703,
  );
});
