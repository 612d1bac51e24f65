export { decodeTree } from "./decode.ts";
export { encodeNode, encodeTree } from "./encode.ts";
export { goModeFromStat, permissionsFromGoMode, statModeFromGo } from "./mode.ts";
export type { JsonValue, TreeNode } from "./types.ts";
