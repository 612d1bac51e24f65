import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockBlobClient } from "@azure/storage-blob";
import { uploadFile } from "../src/upload-file.ts";
import { respond, StandIn } from "./stand-in.ts";

const DATA = new Uint8Array(100_000);

/** An upload is aborted once the service has it, or its list of blocks, whole. */
async function abortedAtTheEnd(
  upload: { readonly abortAnswerMaxMs: number; readonly singleMaxBytes: number },
  answerAfterAbort: boolean,
): Promise<void> {
  await using standIn = await StandIn.start();
  const stop = new AbortController();
  standIn.answer = (request, response) => {
    if (request.url?.includes("comp=block&") === true) return respond(response, 201, "");
    stop.abort();
    if (answerAfterAbort) respond(response, 201, "");
  };
  const client = new BlockBlobClient(`${standIn.endpoint}/backups/blob`);
  const { signal } = stop;
  await uploadFile({ client, data: DATA, tier: undefined, signal, pace: undefined, ...upload });
}

// Longer than any test may take.
const NEVER_MS = 2 ** 31 - 1;
const AT_ONCE = { singleMaxBytes: DATA.byteLength };
const IN_BLOCKS = { singleMaxBytes: 1 };

for (const [how, bounds] of [
  ["at once", AT_ONCE],
  ["in blocks", IN_BLOCKS],
] as const) {
  test(`sent ${how}, an aborted upload waits for the answer to what is sent whole`, async () => {
    await abortedAtTheEnd({ ...bounds, abortAnswerMaxMs: NEVER_MS }, true);
  });

  test(`sent ${how}, an aborted upload does not wait for ever`, async () => {
    const aborted = abortedAtTheEnd({ ...bounds, abortAnswerMaxMs: 20 }, false);
    await assert.rejects(aborted, { name: "AbortError" });
  });
}
