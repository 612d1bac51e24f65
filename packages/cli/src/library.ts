/**
 * Comeback as a library: what `import … from "comeback"` gives. `docs/reference/library.md` shows
 * how to use it.
 */
export { localBackendFactory } from "@comeback/backend-local";
export * from "@comeback/core";
export * from "@comeback/engine";
export { systemClock, systemRandom } from "@comeback/platform";
export * from "@comeback/source-files";
