export { azureBackendFactory } from "./azure-factory.ts";
