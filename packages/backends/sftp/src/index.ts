export { sftpBackendFactory } from "./sftp-factory.ts";
