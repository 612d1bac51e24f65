export { s3BackendFactory } from "./s3-factory.ts";
