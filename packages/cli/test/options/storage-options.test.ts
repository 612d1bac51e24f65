import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { isComebackError } from "@comeback/core";
import {
  addGlobalOptions,
  givenFlags,
  resolveGlobalOptions,
} from "../../src/options/global-options.ts";
import type { StorageOptions } from "../../src/options/storage-options.ts";

function parse(args: string[], env: NodeJS.ProcessEnv = {}): StorageOptions {
  const program = addGlobalOptions(new Command()).exitOverride();
  const command = addGlobalOptions(program.command("copy").option("--from-repo <x>"));
  command.exitOverride().action(() => {});
  program.parse(args, { from: "user" });
  return resolveGlobalOptions(givenFlags(command), env).storage;
}

function refusal(args: string[]): { readonly message: string; readonly next: string } {
  try {
    parse(args);
  } catch (error) {
    assert.ok(isComebackError(error, "option.invalid"), String(error));
    return { message: error.message, next: error.next ?? "" };
  }
  throw new assert.AssertionError({ message: `${args.join(" ")} was accepted` });
}

test("settings are gathered before and behind the command, in order", () => {
  const { settings } = parse(["-o", "s3.region=x", "copy", "--option", "sftp.command=ssh -p 2=2"]);
  assert.deepEqual(settings, [
    { scheme: "s3", name: "region", value: "x" },
    { scheme: "sftp", name: "command", value: "ssh -p 2=2" },
  ]);
  assert.deepEqual(parse(["copy", "-o", "s3.bucket-lookup="]).settings, [
    { scheme: "s3", name: "bucket-lookup", value: "" },
  ]);
  assert.deepEqual(parse(["copy"]).settings, []);
});

test("what is no setting is refused, and its value not shown", () => {
  for (const text of ["region=x", "s3.region", "s3=x", "=x", "S3.region=x"]) {
    assert.match(refusal(["copy", "-o", text]).message, /is no setting of a storage/);
  }
  assert.equal(
    refusal(["copy", "-o", "s3.key:secret"]).message,
    "-o s3.key… is no setting of a storage",
  );
});

test("limits are KiB/s, and 0 is none", () => {
  const { limits } = parse(["copy", "--limit-upload", "100", "--limit-download", "0"]);
  assert.deepEqual(limits, {
    uploadBytesPerSecond: 102_400,
    downloadBytesPerSecond: undefined,
  });
  assert.match(refusal(["copy", "--limit-upload", "1M"]).message, /--limit-upload cannot be "1M"/);
});

test("certificates: flags beat variables, Comeback's beat restic's, commas separate", () => {
  const env = {
    COMEBACK_CACERT: "/own,/second",
    RESTIC_CACERT: "/twin",
    RESTIC_TLS_CLIENT_CERT: "/me",
  };
  assert.deepEqual(parse(["copy"], env).tls, {
    caCertificatePaths: ["/own", "/second"],
    clientCertificatePath: "/me",
  });
  const args = ["--cacert", "/a", "copy", "--cacert", "/b,/c", "--tls-client-cert", "/flag"];
  assert.deepEqual(parse([...args, "--insecure-tls"], env).tls, {
    caCertificatePaths: ["/a", "/b", "/c"],
    clientCertificatePath: "/flag",
    isInsecure: true,
  });
  assert.deepEqual(parse(["copy"]).tls, {});
});

test("it is known whether a command has a second repository", () => {
  assert.equal(parse(["copy"]).hasSeveralRepositories, false);
  assert.equal(parse(["copy", "--from-repo", "/x"]).hasSeveralRepositories, true);
  const env = { RESTIC_FROM_REPOSITORY: "/x" };
  assert.equal(parse(["copy"], env).hasSeveralRepositories, true);
});
