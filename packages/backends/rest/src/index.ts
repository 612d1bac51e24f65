export { type HttpAnswer, type HttpRequest, type HttpTransport } from "./transport.ts";
export { Http2Transport } from "./http2-transport.ts";
export { createRest, openRest, type RestStore } from "./open-store.ts";
export { parseConnections } from "./rest-settings.ts";
export { restBackendFactory } from "./rest-factory.ts";
