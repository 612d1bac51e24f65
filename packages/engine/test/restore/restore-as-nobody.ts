import { chmodSync, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isComebackError } from "@comeback/core";
import { listXattrs } from "@comeback/platform";
import { dataBlob, fileNode, folderNode, treeBlob } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

/** A program for a test: restores what only root can restore exactly, and prints what came of it. */
const [folder = ""] = process.argv.slice(2);
await using fixture = await RestoreFixture.create();
const content = dataBlob("content");
const file = {
  ...fileNode("f", content),
  uid: 12,
  gid: 34,
  mode: (1 << 23) + 0o751,
  links: 2,
  inode: 5,
  extended_attributes: [
    { name: "security.capability", value: Buffer.from("AQAAAgAgAAAAAAAAAAAAAAAAAAA=", "base64") },
    { name: "trusted.a", value: Buffer.from("1") },
    { name: "user.a", value: Buffer.from("1") },
  ],
};
const inner = treeBlob([file]);
const tree = treeBlob([
  { ...folderNode("d", inner), uid: 12 },
  { ...file, name: "g" },
]);
await fixture.storeBlobs([content], [inner, tree]);

const target = join(folder, "target");
const { problems } = await fixture.restore(tree, { target });
const restored = lstatSync(join(target, "d", "f"));

/** What a restore into a folder that may not be written to comes to. */
async function restoreUnwritable(name: string, prepare: (path: string) => void): Promise<unknown> {
  const unwritable = join(folder, name);
  mkdirSync(unwritable);
  prepare(unwritable);
  chmodSync(unwritable, 0o555);
  try {
    const select = (path: string): { selected: boolean; childMayBeSelected: boolean } => ({
      selected: path === "/d/f" || name === "empty",
      childMayBeSelected: true,
    });
    return (await fixture.restore(tree, { target: unwritable, select })).problems;
  } catch (error) {
    return isComebackError(error) ? error.code : String(error);
  } finally {
    chmodSync(unwritable, 0o755);
  }
}

const output = {
  problems,
  content: readFileSync(join(target, "d", "f"), "utf8"),
  mode: (restored.mode & 0o7777).toString(8),
  attributes: listXattrs(join(target, "d", "f")),
  linked: restored.ino === lstatSync(join(target, "g")).ino,
  unwritable: await restoreUnwritable("empty", () => {}),
  insideUnwritable: await restoreUnwritable("full", (path) => mkdirSync(join(path, "d"))),
};
process.stdout.write(JSON.stringify(output));
