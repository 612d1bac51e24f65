import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { parseRestLocation } from "../src/rest-location.ts";

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

test("the forms that restic knows", () => {
  const plain = parseRestLocation("rest:http://host.example:8000/my repo/a%2Fb");
  assert.deepEqual(plain.place, { isTls: false, hostname: "host.example", port: 8000 });
  assert.equal(plain.basePath, "/my%20repo/a%2Fb/");
  assert.equal(plain.authorization, undefined);

  const secure = parseRestLocation("rest:https://[::1]/");
  assert.deepEqual(secure.place, { isTls: true, hostname: "::1", port: 443 });
  assert.equal(secure.shown, "rest:https://[::1]/");

  const socket = parseRestLocation("rest:http+unix:///run/rest.socket:/backup/laptop");
  assert.equal(socket.place.socketPath, "/run/rest.socket");
  assert.equal(socket.basePath, "/backup/laptop/");
  assert.equal(socket.shown, "rest:http+unix:///run/rest.socket:/backup/laptop/");
  assert.equal(parseRestLocation("rest:http+unix:///run/rest.socket").basePath, "/");
});

test("user and password are decoded, sent, and not shown", () => {
  const { authorization, shown, server } = parseRestLocation("rest:https://ada:p%40s%3As@host/x/");
  assert.equal(authorization, basic("ada", "p@s:s"));
  assert.equal(shown, "rest:https://host/x/");
  assert.equal(server, "https://host");
});

test("the environment counts where the URL has neither user nor password", () => {
  const restic = { RESTIC_REST_USERNAME: "r", RESTIC_REST_PASSWORD: "rp" };
  const ours = { COMEBACK_REST_USERNAME: "c", COMEBACK_REST_PASSWORD: "cp" };
  const of = (url: string, env: Record<string, string>): string | undefined =>
    parseRestLocation(url, env).authorization;
  assert.equal(of("rest:http://h/", restic), basic("r", "rp"));
  assert.equal(of("rest:http://h/", { ...restic, ...ours }), basic("c", "cp"));
  assert.equal(of("rest:http://u@h/", restic), basic("u", ""));
  assert.equal(of("rest:http+unix:///s:/", ours), basic("c", "cp"));
});

test("what is no such URL is refused, without showing it", () => {
  const secret = "s3cr3t";
  const bad = [
    `rest:`,
    `rest:ada:${secret}@host/`,
    `rest:ftp://ada:${secret}@host/`,
    `rest:http://ada:${secret}@`,
    `rest:http://ada:${secret}@host/?x=1`,
    `rest:http://ada:${secret}@host/#x`,
    `rest:http://ada:${secret}%ZZ@host/`,
    `rest:http+unix://`,
    `rest:http+unix://ada:${secret}@host/x`,
  ];
  for (const location of bad) {
    assert.throws(
      () => parseRestLocation(location),
      (error: unknown) => {
        assert.ok(error instanceof ComebackError, location);
        assert.equal(error.code, "option.invalid", location);
        assert.ok(!`${error.message}${error.why}${error.next}`.includes(secret), location);
        return true;
      },
    );
  }
});
