// Kept for child processes: the launcher's cache of compiled code is for this program only.
delete process.env["NODE_COMPILE_CACHE"];

const { run } = await import("./run.ts");
const exitCode = await run();
// Everything is released and written: waiting for idle threads and sockets to wind down gains nothing.
process.exit(exitCode);
