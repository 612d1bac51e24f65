import assert from "node:assert/strict";
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { byteStringFromText, displayText } from "@comeback/core";
import {
  cat,
  type CatRequest,
  computeStats,
  listSnapshots,
  readFile,
  type Repository,
  resolvePath,
  STATS_MODES,
  walkSnapshot,
} from "@comeback/engine";
import { randomTree } from "@comeback/testkit";
import { Client } from "../../drivers/client.ts";
import { memoryFolder, scratchFolder } from "../../drivers/scratch.ts";
import { RESTIC_014, RESTIC_018, type Tool } from "../../drivers/tools.ts";
import { initCheaply, openRepository } from "./open-repository.ts";

/** What the library says of a repository is what restic says of it: to the byte where it is text. */
const folder = memoryFolder("objects");
const source = join(scratchFolder("objects-source"), "source");

const REPOSITORIES = [
  { writer: RESTIC_018, version: 2 as const },
  { writer: RESTIC_014, version: 2 as const },
  { writer: RESTIC_014, version: 1 as const },
].map(({ writer, version }) => {
  const name = `${writer.name}, version ${version}`;
  return { name, writer, version, location: join(folder, name.replaceAll(/\W+/g, "-")) };
});

async function write(location: string, writer: Tool, version: 1 | 2): Promise<void> {
  await initCheaply(location, version);
  const client = new Client(writer, location);
  await client.backup([source], { args: ["--tag", "a & <b>"] });
  appendFileSync(join(source, "new file"), `new content for ${location}`);
  await client.backup([source]);
}

before(async () => {
  randomTree(source, 611, { entries: 250, largeFiles: true });
  for (const { location, writer, version } of REPOSITORIES) await write(location, writer, version);
});

async function opened<T>(
  location: string,
  use: (repository: Repository) => Promise<T>,
): Promise<T> {
  await using repository = await openRepository(location);
  await repository.loadIndex();
  return await use(repository);
}

for (const { name, writer, location } of REPOSITORIES) {
  const restic = new Client(writer, location);

  describe(`a repository that ${name} wrote`, () => {
    for (const mode of STATS_MODES) {
      it(`has the same statistics: ${mode}`, async () => {
        const ours = await opened(location, async (repository) => {
          const snapshots = await listSnapshots(repository);
          return await computeStats({ repository, snapshots, mode });
        });
        // 0.14 knows less; what 0.18 says of the same repository counts.
        const client = new Client(RESTIC_018, location);
        const { stdout } = await client.done(["stats", "--json", "--mode", mode]);
        assert.equal(`${JSON.stringify(ours)}\n`, stdout.toString());
      });
    }

    it("shows the same objects", async () => {
      const files = (type: string): string[] => readdirSync(join(location, type));
      const [snapshots, [index], [key]] = [files("snapshots"), files("index"), files("keys")];
      const pack = readdirSync(join(location, "data"), { recursive: true, encoding: "utf8" })
        .map((path) => path.slice(3))
        .find((file) => file.length === 64);
      const requests: [string[], CatRequest][] = [
        [["config"], { kind: "config" }],
        [["key", key!], { kind: "key", id: key! }],
        [["index", index!], { kind: "index", id: index! }],
        [["pack", pack!], { kind: "pack", id: pack! }],
        ...snapshots.map((id): [string[], CatRequest] => {
          return [["snapshot", id], { kind: "snapshot", name: id.slice(0, 12) }];
        }),
      ];
      // 0.14 shows the master key's MAC part with its meaningless bits cleared.
      if (writer === RESTIC_018) requests.push([["masterkey"], { kind: "masterkey" }]);
      await opened(location, async (repository) => {
        const { tree } = (await listSnapshots(repository)).at(0)!;
        requests.push([["blob", tree], { kind: "blob", id: tree }]);
        if (writer === RESTIC_018) {
          const path = byteStringFromText(source);
          const request = { kind: "tree", name: snapshots[0]!, path } as const;
          requests.push([["tree", `${snapshots[0]}:${source}`], request]);
        }
        for (const [args, request] of requests) {
          const { stdout } = await restic.done(["cat", ...args]);
          const { bytes, warning } = await cat(repository, request);
          assert.ok(Buffer.from(bytes).equals(stdout), args.join(" "));
          assert.equal(warning, undefined);
        }
      });
    });

    it("lists the same entries in the same order", async () => {
      const top = `/${source.split("/")[1]}`;
      const lists: [string[], { under?: string[]; recursive?: boolean }][] = [
        [[], {}],
        [["--recursive", source], { under: [source], recursive: true }],
      ];
      if (writer === RESTIC_018) {
        lists.push([[source], { under: [source] }], [[top], { under: [top] }]);
        lists.push([["/"], { under: ["/"] }]);
      }
      await opened(location, async (repository) => {
        const { tree } = (await listSnapshots(repository)).at(-1)!;
        for (const [args, options] of lists) {
          const flags = args.filter((arg) => arg.startsWith("-"));
          const paths = args.filter((arg) => !arg.startsWith("-"));
          const command = ["ls", ...flags, "latest", ...paths];
          const lines = await restic.lines<{ path?: string; struct_type: string }>(command);
          const theirs = lines
            .filter((line) => line.struct_type === "node")
            .map(({ path }) => path);
          const ours = await Array.fromAsync(walkSnapshot(repository, tree, options));
          assert.deepEqual(
            ours.map(({ path }) => displayText(path)),
            theirs,
            args.join(" "),
          );
          assert.ok(ours.length > 0);
        }
      });
    });

    it("gives the same contents of files", async () => {
      await opened(location, async (repository) => {
        const { tree } = (await listSnapshots(repository)).at(-1)!;
        const walked = await Array.fromAsync(walkSnapshot(repository, tree));
        const files = walked.filter(({ node, path }) => {
          return node.type === "file" && /^[ -~]*$/.test(path);
        });
        files.sort((a, b) => Number(b.node.size) - Number(a.node.size));
        for (const { path } of [...files.slice(0, 3), ...files.slice(-2)]) {
          const { node } = await resolvePath(repository, tree, path);
          const parts = await Array.fromAsync(readFile(repository, node!));
          const { stdout } = await restic.done(["dump", "latest", path]);
          assert.ok(Buffer.concat(parts).equals(stdout), path);
        }
        assert.ok(Number(files[0]!.node.size) > 2_000_000, "a file of several blobs is among them");
      });
    });
  });
}
