/**
 * Saves a folder, looks at what was saved, and brings it back:
 *
 *     node examples/round-trip.ts FOLDER REPOSITORY TARGET
 *
 * Whoever installed the package imports from "comeback" instead.
 */
import {
  backup,
  byteStringFromText,
  check,
  createFilesSource,
  createRepository,
  displayText,
  findSnapshot,
  instantOfMilliseconds,
  isComebackError,
  listSnapshots,
  lockRepository,
  openRepository,
  readFile,
  restore,
  walkSnapshot,
} from "@comeback/cli";

const [folder = "", location = "", target = ""] = process.argv.slice(2);
const password = process.env["EXAMPLE_PASSWORD"] ?? "an example is no place for a secret";

/** Makes the repository, or opens it where it is already there. */
async function openOrCreate(): ReturnType<typeof openRepository> {
  try {
    return await openRepository({ location, password });
  } catch (error) {
    if (!isComebackError(error, "repository.none")) throw error;
    return await createRepository({ location, password });
  }
}

async function save(): Promise<void> {
  await using repository = await openOrCreate();
  await using lock = await lockRepository(repository);
  await repository.loadIndex();
  const { snapshot, summary, problems } = await backup({
    repository,
    source: createFilesSource({ targets: [byteStringFromText(folder)] }),
    time: instantOfMilliseconds(Date.now()),
    hostname: "example",
    programVersion: "example 1.0",
    mayWrite: lock.confirmed,
    observer: {
      onProblem: ({ path, message }) => console.error(`${displayText(path)}: ${message}`),
    },
  });
  console.log(`saved ${summary.total_files_processed} files, ${problems.length} problems`);
  console.log(`the snapshot has an id: ${String(snapshot !== undefined)}`);
}

async function look(): Promise<void> {
  await using repository = await openRepository({ location, password });
  await using _lock = await lockRepository(repository);
  await repository.loadIndex();
  for (const { time, paths } of await listSnapshots(repository)) {
    console.log(`snapshot of ${paths.join(", ")}, made in ${time.slice(0, 4)}`);
  }
  const latest = await findSnapshot(repository, "latest");
  for await (const { path, node } of walkSnapshot(repository, latest.tree)) {
    if (node.type !== "file") continue;
    let bytes = 0;
    for await (const chunk of readFile(repository, node)) bytes += chunk.length;
    console.log(`read ${displayText(path)}: ${bytes} bytes`);
  }
}

async function bringBack(): Promise<void> {
  await using repository = await openRepository({ location, password });
  await using _lock = await lockRepository(repository);
  await repository.loadIndex();
  const result = await restore({
    repository,
    snapshot: await findSnapshot(repository, "latest"),
    target: byteStringFromText(target),
    verify: true,
  });
  console.log(`restored, ${result.problems} problems`);
  const { ok, counts } = await check({ repository, readData: { kind: "all" } });
  console.log(
    `checked: ${ok ? "no errors" : "errors"}, ${counts.packsRead > 0 ? "all" : "no"} data`,
  );
}

await save();
await look();
await bringBack();
