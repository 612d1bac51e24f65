import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { backendConformance } from "@comeback/testkit";
import { nodeFileSystem } from "../src/file-system.ts";
import type { FileSystem } from "../src/file-system.ts";
import { localFixture } from "./scratch.ts";

/** What is tested here is which calls are made, not a disk's fsync: memory does, and is faster. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function failsWith(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: staged`), { code }));
}

/** FAT and many SMB shares: no hard links, but a rename that does not replace. */
const withoutHardLinks: FileSystem = { ...nodeFileSystem, link: failsWith("EPERM") };

/** Some FUSE file systems: neither of the two, and no fsync. */
const poorest: FileSystem = {
  ...nodeFileSystem,
  link: failsWith("ENOSYS"),
  renameWithoutReplacing: failsWith("EINVAL"),
  chmod: failsWith("EPERM"),
  open: async (...values: Parameters<FileSystem["open"]>) => {
    const handle = await nodeFileSystem.open(...values);
    handle.sync = failsWith("EINVAL");
    return handle;
  },
};

backendConformance("local, without hard links", () => localFixture(withoutHardLinks, MEMORY));
backendConformance("local, on the poorest file system", () => localFixture(poorest, MEMORY));
