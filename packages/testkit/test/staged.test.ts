import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  protectedSourceConformance,
  type ProtectedSourceFixture,
  snapshotterConformance,
  type SnapshotterFixture,
  StagedSnapshotter,
  StagedSource,
} from "../src/index.ts";

function scratch(): string {
  return mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "comeback-staged-"));
}

async function sourceFixture(pinsMoment: boolean): Promise<ProtectedSourceFixture> {
  const folder = scratch();
  for (const name of ["a", "b"]) writeFileSync(join(folder, name), name);
  const source = await StagedSource.of(folder, { pinsMoment });
  const names = (): string[] => readdirSync(folder).toSorted();
  return {
    source,
    world: async () =>
      names()
        .map((name) => readFileSync(join(folder, name), "utf8"))
        .join(),
    change: async () => writeFileSync(join(folder, "a"), "changed"),
    removeItem: async () => {
      rmSync(join(folder, "b"));
      return "b";
    },
    removeAll: async () => rmSync(folder, { recursive: true }),
    held: async () => source.held,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

protectedSourceConformance("staged, read as it is", () => sourceFixture(false));
protectedSourceConformance("staged, with its moment pinned", () => sourceFixture(true));

snapshotterConformance("staged", async (): Promise<SnapshotterFixture> => {
  const top = scratch();
  const [live, frozen] = [join(top, "live"), join(top, "frozen")];
  for (const folder of [live, frozen]) mkdirSync(folder);
  const file = join(live, "file");
  writeFileSync(file, "");
  const snapshotter = new StagedSnapshotter(frozen);
  const failing = (): Promise<never> => Promise.reject(new Error("told to fail"));
  return {
    snapshotter,
    paths: [live],
    file,
    change: async (content) => writeFileSync(file, content),
    leftovers: () => snapshotter.standing(),
    breakCreate: async () => void (snapshotter.onCreate = failing),
    breakView: async () => void (snapshotter.onVerify = failing),
    breakAll: async () => void (snapshotter.isUsable = false),
    [Symbol.asyncDispose]: async () => rmSync(top, { recursive: true, force: true }),
  };
});
