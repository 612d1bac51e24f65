export { auditHash } from "./audit/audit-hash.ts";
export {
  type AuditBreak,
  type AuditReport,
  verifyAudit,
  type VerifyAuditOptions,
} from "./audit/verify-audit.ts";
export { isServer, openCatalog, type OpenCatalogOptions } from "./open-catalog.ts";
export { checkCatalog } from "./sqlite/check-catalog.ts";
export { setAsideCatalog } from "./sqlite/set-aside.ts";
