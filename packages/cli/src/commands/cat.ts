import { cat, CAT_KINDS, type CatRequest, findSnapshot } from "@comeback/engine";
import { ComebackError, type FileType } from "@comeback/core";
import { openSession, type Session } from "../opening/session.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";

export const define: CommandModule["define"] = (command, run) => {
  command
    .argument("<kind>", "config, index, snapshot, key, masterkey, lock, pack, blob or tree")
    .argument("[id]", "the start of its id; for a blob all of it; for a tree SNAPSHOT[:folder]")
    .action(
      run<object>(async (context, _flags, [word = "", id]) => {
        const kind = CAT_KINDS.find((known) => known === word);
        if (kind === undefined) throw badValue("the kind of object", word, CAT_KINDS.join(", "));
        if (id === undefined && kind !== "config" && kind !== "masterkey") {
          throw badUsage(`which ${kind} is meant?`, `give its id: comeback cat ${kind} ID`);
        }
        await using session = await openSession(context, { lock: "shared" });
        const { repository, signal } = session;
        if (kind === "blob" || kind === "tree")
          await repository.loadIndex({ includeMarked: true, signal });
        const request = await requestOf(session, kind, id ?? "");
        const { bytes, warning } = await cat(repository, request, { signal });
        if (warning !== undefined) context.terminal.printError(`warning: ${warning}`);
        context.terminal.printRaw(bytes);
        return 0;
      }),
    );
};

async function requestOf(
  session: Session,
  kind: CatRequest["kind"],
  id: string,
): Promise<CatRequest> {
  switch (kind) {
    case "config":
    case "masterkey":
      return { kind };
    case "blob":
      return { kind, id };
    case "key":
    case "index":
    case "lock":
    case "pack":
      return { kind, id: await fullName(session, kind, id) };
    case "snapshot": {
      const { repository, signal } = session;
      const { id: name } = await findSnapshot(repository, id, {}, { signal });
      return { kind, name };
    }
    case "tree": {
      const { snapshot, path } = parseSnapshotPath(id);
      return { kind, name: snapshot, path };
    }
  }
}

/** A file's whole name from the start of it. */
async function fullName(
  { repository, signal }: Session,
  type: FileType,
  start: string,
): Promise<string> {
  if (!/^[0-9a-f]{1,64}$/.test(start)) {
    throw badValue(`the id of a ${type}`, start, "its hexadecimal digits, or the first of them");
  }
  const names: string[] = [];
  for await (const { name } of repository.backend.list(type, { signal })) {
    if (name.startsWith(start)) names.push(name);
  }
  const [name] = names;
  if (names.length === 1 && name !== undefined) return name;
  if (names.length === 0) {
    throw new ComebackError("backend.not-found", `there is no ${type} ${start}`, {
      next: "the file names in the repository are the ids",
    });
  }
  throw badUsage(`${names.length} ${type} files begin with ${start}`, "give more digits of the id");
}
