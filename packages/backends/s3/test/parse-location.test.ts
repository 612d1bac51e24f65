import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { endpointOf } from "../src/endpoint.ts";
import { keyOf } from "../src/layout.ts";
import { parseS3Location } from "../src/parse-location.ts";
import { parseS3Settings } from "../src/settings.ts";

// As in restic's internal/backend/s3/config_test.go, and what follows from its code.
const LOCATIONS: readonly (readonly [string, string, boolean, string, string])[] = [
  ["s3://eu-central-1/bucketname", "eu-central-1", true, "bucketname", ""],
  ["s3://eu-central-1/bucketname/", "eu-central-1", true, "bucketname", ""],
  [
    "s3://eu-central-1/bucketname/prefix/directory",
    "eu-central-1",
    true,
    "bucketname",
    "prefix/directory",
  ],
  [
    "s3://eu-central-1/bucketname/prefix/directory/",
    "eu-central-1",
    true,
    "bucketname",
    "prefix/directory",
  ],
  ["s3:eu-central-1/foobar", "eu-central-1", true, "foobar", ""],
  ["s3:hostname/foobar//prefix/./directory", "hostname", true, "foobar", "prefix/directory"],
  ["s3:https://hostname:9999/foobar", "hostname:9999", true, "foobar", ""],
  ["s3:http://hostname:9999/foobar/", "hostname:9999", false, "foobar", ""],
  [
    "s3:http://hostname:9999/bucket/prefix/directory",
    "hostname:9999",
    false,
    "bucket",
    "prefix/directory",
  ],
  ["s3:http://[::1]:9999/bucket/a%20b", "[::1]:9999", false, "bucket", "a b"],
  ["s3:s3.amazonaws.com/bucket/a b%20c", "s3.amazonaws.com", true, "bucket", "a b%20c"],
  ["s3:s3.amazonaws.com/bucket/../x", "s3.amazonaws.com", true, "bucket", "x"],
];

for (const [location, host, isHttps, bucket, prefix] of LOCATIONS) {
  test(`${location} is read as restic reads it`, () => {
    assert.deepEqual(parseS3Location(location), { host, isHttps, bucket, prefix, shown: location });
  });
}

for (const location of [
  "s3:hostname",
  "s3:https://hostname/",
  "s3:",
  "s3:/bucket",
  "s3:https://user:secret-word@host/bucket",
  "s3:user:secret-word@host/bucket",
  "s3:https://host/bucket?secret-word",
  "s3:https://host/%ff",
]) {
  test(`${location} is refused, and not shown`, () => {
    assert.throws(
      () => parseS3Location(location),
      (error) => {
        assert.ok(isComebackError(error, "option.invalid"));
        assert.ok(error.next?.includes("s3:HOST/BUCKET"));
        assert.doesNotMatch(`${error.message} ${error.why}`, /secret-word/);
        return true;
      },
    );
  });
}

test("files lie where restic has them", () => {
  const name = `ab${"0".repeat(62)}`;
  assert.equal(keyOf("", { type: "config", name: "" }), "config");
  assert.equal(keyOf("p/q", { type: "config", name: "" }), "p/q/config");
  assert.equal(keyOf("p", { type: "pack", name }), `p/data/ab/${name}`);
  assert.equal(keyOf("", { type: "index", name }), `index/${name}`);
  assert.equal(keyOf("", { type: "snapshot", name }), `snapshots/${name}`);
  assert.equal(keyOf("", { type: "key", name }), `keys/${name}`);
  assert.equal(keyOf("", { type: "lock", name }), `locks/${name}`);
});

function endpoint(
  location: string,
  settings: Record<string, string> = {},
  env: Record<string, string> = {},
): string {
  const parsed = parseS3Settings(new Map(Object.entries(settings)));
  const found = endpointOf(parseS3Location(location), parsed, env);
  const style = found.isPathStyle ? "path" : "dns";
  return `${found.url} ${found.region}${found.isRegionGuessed ? "?" : ""} ${style}`;
}

test("host, region and style of a call", () => {
  assert.equal(
    endpoint("s3:s3.amazonaws.com/b"),
    "https://s3.us-east-1.amazonaws.com us-east-1? dns",
  );
  assert.equal(
    endpoint("s3:s3.amazonaws.com/b", { region: "eu-west-1" }),
    "https://s3.eu-west-1.amazonaws.com eu-west-1 dns",
  );
  assert.equal(
    endpoint("s3:s3.eu-central-1.amazonaws.com/b"),
    "https://s3.eu-central-1.amazonaws.com eu-central-1 dns",
  );
  assert.equal(
    endpoint("s3:s3.dualstack.eu-central-1.amazonaws.com/b.c"),
    "https://s3.dualstack.eu-central-1.amazonaws.com eu-central-1 path",
  );
  const env = { AWS_DEFAULT_REGION: "garage" };
  assert.equal(endpoint("s3:http://host:1/b", {}, env), "http://host:1 garage path");
  assert.equal(endpoint("s3:http://host:1/b"), "http://host:1 us-east-1? path");
  const dns = { "bucket-lookup": "dns" };
  assert.equal(endpoint("s3:http://host:1/b", dns), "http://host:1 us-east-1? dns");
});

test("settings that make no sense are refused with what would", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["connections", "0"],
    ["connections", "many"],
    ["bucket-lookup", "none"],
    ["list-objects-v1", "maybe"],
    ["sse", "rot13"],
    ["object-lock", "forever"],
    ["object-lock", "governance:0"],
    ["object-lock", "compliance:99999"],
  ];
  for (const [name, value] of wrong) {
    assert.throws(
      () => parseS3Settings(new Map([[name, value]])),
      (error) => isComebackError(error, "option.invalid") && error.message.includes(name),
    );
  }
  const right = new Map([
    ["connections", "32"],
    ["object-lock", "Compliance:30"],
    ["list-objects-v1", "T"],
  ]);
  const { connections, objectLock, listObjectsV1 } = parseS3Settings(right);
  assert.deepEqual(
    { connections, objectLock, listObjectsV1 },
    { connections: 32, objectLock: { mode: "COMPLIANCE", days: 30 }, listObjectsV1: true },
  );
});
