import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client, PASSWORD } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTICS } from "../drivers/tools.ts";

/** From a bare machine: the repository and its password are all there is. */
const folder = scratchFolder("kit");
const repository = join(folder, "repository");
const config = join(folder, "comeback.yaml");

test("restic alone brings the configuration back, and then the sources", async () => {
  await makeQuickRepository(repository);
  mkdirSync(join(folder, "source"));
  writeFileSync(join(folder, "source/letter"), "dear all\n");
  writeFileSync(join(folder, "key"), `${PASSWORD}\n`, { mode: 0o600 });
  const text = `# Written by hand: every byte of it comes back.
state: ${folder}/state
destinations: { nas: { repo: ${repository}, password: { file: ${folder}/key } } }
plans: { shop: { sources: { content: { files: ${folder}/source } }, to: nas } }
`;
  writeFileSync(config, text, { mode: 0o600 });
  const ours = new Client(COMEBACK, repository);
  for (let i = 0; i < 3; i++) await ours.done(["--config", config, "run"]);
  for (const tool of RESTICS) {
    const restic = new Client(tool, repository);
    const target = join(folder, `by ${tool.name}`);
    const kit = ["restore", "latest", "--tag", "source:comeback-kit", "--target", target];
    await restic.done(kit);
    assert.equal(readFileSync(join(target, "comeback-kit/configuration", config), "utf8"), text);
    const recovery = readFileSync(join(target, "comeback-kit/RECOVERY.md"), "utf8");
    // What it says to do is done, word by word.
    const line =
      /`comeback -r REPOSITORY (restore latest --host \S+ --tag plan:shop,source:content --target )\/`/.exec(
        recovery,
      );
    await restic.done([...line![1]!.trim().split(" "), target]);
    assert.equal(readFileSync(join(target, folder, "source/letter"), "utf8"), "dear all\n");
    await restic.check();
  }
});

test("a kit that says nothing new adds next to nothing to a run", async () => {
  const ours = new Client(COMEBACK, repository);
  interface Line {
    readonly message_type: string;
    readonly text?: string;
    readonly subject: string;
  }
  const lines = await ours.lines<Line>(["--config", config, "run", "shop"]);
  const kit = lines.find(
    ({ subject, text = "" }) => subject === "comeback-kit" && text.endsWith("stored"),
  );
  const stored = /([\d.]+) KiB stored$/.exec(kit?.text ?? "")?.[1];
  assert.ok(Number(stored) < 4, kit?.text ?? "there is no kit");
});
