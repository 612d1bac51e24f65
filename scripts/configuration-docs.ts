/**
 * Writes what docs/reference says of the configuration from its schema: configuration.md and
 * comeback.schema.json. A test says when they are not up to date.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  configurationJsonSchemaText,
  configurationReference,
} from "../packages/operations/src/index.ts";

const folder = join(import.meta.dirname, "../docs/reference");
writeFileSync(join(folder, "configuration.md"), configurationReference());
const schema = join(folder, "comeback.schema.json");
writeFileSync(schema, configurationJsonSchemaText());
execFileSync("oxfmt", ["--write", schema]);
