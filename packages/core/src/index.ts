export * from "./backend.ts";
export * from "./byte-string.ts";
export * from "./environment.ts";
export * from "./errors.ts";
export * from "./limits.ts";
export * from "./node.ts";
export * from "./repository-file.ts";
export * from "./source.ts";
