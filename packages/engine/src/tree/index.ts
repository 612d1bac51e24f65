export { decodeReferences, decodeTree, type NodeReferences } from "./decode.ts";
export { encodeNode, encodeTree } from "./encode.ts";
export { jsonInnerFromBytes, jsonValueText } from "./go-json.ts";
export { nodeFromMetadata, type NodeOptions } from "./from-metadata.ts";
export { goModeFromStat, permissionsFromGoMode, statModeFromGo } from "./mode.ts";
export { formatTime, isSameTime, parseTime } from "./time-text.ts";
export { localTimeZone, type TimeZone, timeZoneFor } from "./time-zone.ts";
export type { JsonValue, TreeNode } from "./types.ts";
