export { startS3StandIn } from "./stand-in.ts";
export type { S3StandIn, S3StandInOptions, S3Request, StagedAnswer } from "./stand-in.ts";
export type { StoredObject } from "./stored-objects.ts";
