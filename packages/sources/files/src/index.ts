export { createFilesSource, type FilesSourceOptions } from "./files-source.ts";
export {
  commandSource,
  type CommandSourceOptions,
  stdinSource,
  type StdinSourceOptions,
} from "./stdin-source.ts";
