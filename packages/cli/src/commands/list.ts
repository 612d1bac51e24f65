import type { FileType } from "@comeback/core";
import { listBlobs } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { LineWriter } from "../terminal/line-writer.ts";

const FILE_TYPES = {
  packs: "pack",
  index: "index",
  snapshots: "snapshot",
  keys: "key",
  locks: "lock",
} as const satisfies Record<string, FileType>;

const KINDS = ["blobs", "packs", "index", "snapshots", "keys", "locks"] as const;

export const define: CommandModule["define"] = (command, run) => {
  command.argument("<kind>", "blobs, packs, index, snapshots, keys or locks").action(
    run<object>(async (context, _flags, [word = ""]) => {
      const kind = parseChoice("the kind of object", word, KINDS);
      // Our own lock would be one of them.
      const lock = kind === "locks" ? "none" : "shared";
      await using session = await openSession(context, { lock });
      const { repository, signal } = session;
      const writer = new LineWriter(context.terminal);
      if (kind === "blobs") {
        await repository.loadIndex({ signal });
        for (const { type, id } of listBlobs(repository)) writer.writeText(`${type} ${id}`);
      } else {
        for await (const { name } of repository.backend.list(FILE_TYPES[kind], { signal })) {
          writer.writeText(name);
        }
      }
      writer.flush();
      return 0;
    }),
  );
};
