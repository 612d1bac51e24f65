export { createFilesSource, type FilesSourceOptions } from "./files-source.ts";
export { protectFiles, type ProtectFilesOptions } from "./protect-files.ts";
