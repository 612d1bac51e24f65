/* Saves packs until it is killed, and prints the name of each that was promised to be stored. */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { SeededRandom } from "@comeback/testkit";
import { openLocal } from "../src/local-factory.ts";

const [root = "", seed = "0"] = process.argv.slice(2);
const random = new SeededRandom(1000 + Number(seed));
const backend = await openLocal(root);

async function saveOne(): Promise<void> {
  const data = random.bytes(random.integer(1, 4) * 1024 * 1024);
  const name = createHash("sha256").update(data).digest("hex");
  await backend.save({ type: "pack", name }, data);
  writeSync(1, `${name}\n`);
}

for (;;) await Promise.all([saveOne(), saveOne()]);
