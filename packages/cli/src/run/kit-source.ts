import { byteStringFromText, type ProtectedSource } from "@comeback/core";
import { KIT_FOLDER, type KitFile } from "@comeback/operations";
import { bytesContent, NO_TIME, streamsSource } from "@comeback/source-streams";

/** The bootstrap kit as a source: a few small files, made when the run needs them. */
export function kitSource(files: readonly KitFile[]): ProtectedSource {
  return {
    kind: "kit",
    paths: [],
    pinsMoment: true,
    probe: () => Promise.resolve([]),
    pin: async () => ({
      source: streamsSource({
        paths: [KIT_FOLDER],
        files: files.map(({ name, text }) => ({
          path: byteStringFromText(`${KIT_FOLDER}/${name}`),
          content: () => bytesContent(Buffer.from(text)),
        })),
        // Without a time of their own, files that have not changed leave the tree as it was.
        time: NO_TIME,
        permissions: { file: 0o600, folder: 0o700 },
      }),
      items: [],
      missing: () => [],
      [Symbol.asyncDispose]: async () => {},
    }),
  };
}
