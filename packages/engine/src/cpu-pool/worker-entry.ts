/**
 * Where the worker's program is: beside this file, `.ts` in a checkout and `.js` in the published
 * package (the build puts it beside the bundle under the same name).
 */
export function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
}
