/** The program's version; a test holds it equal to package.json's. */
export const VERSION = "0.1.0";

/** What a snapshot's `program_version` says. */
export const PROGRAM_VERSION: string = `comeback ${VERSION}`;
