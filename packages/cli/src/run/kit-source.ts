import { byteStringFromText, type ProtectedSource } from "@comeback/core";
import { KIT_FOLDER, type KitFile } from "@comeback/operations";
import { bytesContent, streamsSource } from "@comeback/source-streams";

/** The bootstrap kit as a source: a few small files, made when the run needs them. */
export function kitSource(files: readonly KitFile[]): ProtectedSource {
  return {
    kind: "kit",
    paths: [],
    pinsMoment: true,
    probe: () => Promise.resolve([]),
    pin: async ({ time }) => ({
      source: streamsSource({
        paths: [KIT_FOLDER],
        files: files.map(({ name, text }) => ({
          path: byteStringFromText(`${KIT_FOLDER}/${name}`),
          content: () => bytesContent(Buffer.from(text)),
        })),
        time,
      }),
      items: [],
      missing: () => [],
      [Symbol.asyncDispose]: async () => {},
    }),
  };
}
