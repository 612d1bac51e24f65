export { localBackendFactory } from "./local-factory.ts";
