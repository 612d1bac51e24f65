import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { after } from "node:test";

/** Real mounts need root: continuous integration runs as such, a plain user sees the test fail. */
export function requireRoot(): void {
  assert.equal(process.getuid?.(), 0, "this test mounts file systems: run it as root");
}

function mount(...args: string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Takes every layer off again at the end of the test file. */
function unmountAtEnd(folder: string): void {
  after(() => {
    while (spawnSync("umount", ["-l", folder], { stdio: "ignore" }).status === 0);
  });
}

/** A small file system of its own; `sizeBytes` may change later. */
export class MemoryDisk {
  readonly folder: string;

  constructor(folder: string, sizeBytes: number) {
    requireRoot();
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    mount("-t", "tmpfs", "-o", `size=${sizeBytes},mode=755`, "comeback-test", folder);
    unmountAtEnd(folder);
  }

  resize(sizeBytes: number): void {
    mount("-o", `remount,size=${sizeBytes}`, this.folder);
  }
}

/** A folder that shows another one, and can be taken away or made read-only. */
export class BindMount {
  readonly folder: string;
  readonly #shown: string;

  constructor(shown: string, folder: string) {
    requireRoot();
    mkdirSync(folder, { recursive: true });
    this.folder = folder;
    this.#shown = shown;
    this.attach();
    unmountAtEnd(folder);
  }

  attach(): void {
    mount("--bind", this.#shown, this.folder);
  }

  /** False while a file below is open for writing: the kernel refuses it then. */
  makeReadOnly(): boolean {
    const { folder } = this;
    return spawnSync("mount", ["-o", "remount,bind,ro", folder], { stdio: "ignore" }).status === 0;
  }

  makeWritable(): void {
    mount("-o", "remount,bind,rw", this.folder);
  }

  /** As when a cable is pulled: at once, whoever is using it. */
  vanish(): void {
    execFileSync("umount", ["-l", this.folder]);
  }
}
