export { rcloneBackendFactory } from "./rclone-factory.ts";
