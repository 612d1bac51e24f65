import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readSource } from "../sources/index.ts";
import { capture, type MakeProtectedSource, pin, treeOf } from "./fixture.ts";

export type { MakeProtectedSource, ProtectedSourceFixture } from "./fixture.ts";

/** Holds a source to every clause of the contract of `ProtectedSource` in core. */
export function protectedSourceConformance(name: string, make: MakeProtectedSource): void {
  describe(`protected source contract: ${name}`, () => {
    testProbe(make);
    testReading(make);
    testMissing(make);
    testReleasing(make);
  });
}

const { signal } = new AbortController();

function testProbe(make: MakeProtectedSource): void {
  test("a probe of a world that is well finds nothing wrong, and changes nothing", async () => {
    await using fixture = await make();
    const before = await fixture.world();
    const findings = await fixture.source.probe({ signal });
    assert.ok(findings.length > 0, "it looked at nothing");
    for (const { state, subject, message } of findings) {
      assert.notEqual(state, "failed", `${subject}: ${message}`);
      assert.ok(subject !== "" && message !== "", "a finding says what it is about");
    }
    assert.equal(await fixture.world(), before);
    assert.equal(await fixture.held(), 0);
  });

  test("a probe finds that nothing is there, and says what to do", async () => {
    await using fixture = await make();
    await fixture.removeAll();
    const findings = await fixture.source.probe({ signal });
    const failed = findings.filter(({ state }) => state === "failed");
    assert.ok(failed.length > 0, `nothing failed: ${JSON.stringify(findings)}`);
    for (const { next, subject } of failed) assert.ok(next, `${subject}: what to do next?`);
  });

  test("an aborted probe rejects with the reason", async () => {
    await using fixture = await make();
    const reason = new Error("enough");
    await assert.rejects(
      fixture.source.probe({ signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.equal(await fixture.held(), 0);
  });
}

function testReading(make: MakeProtectedSource): void {
  test("the paths for a snapshotter are absolute", async () => {
    await using fixture = await make();
    for (const path of fixture.source.paths) assert.match(path, /^\//);
  });

  test("two reads of one world give one tree, whole, and change nothing", async () => {
    await using fixture = await make();
    const before = await fixture.world();
    const first = await capture(fixture);
    assert.deepEqual(first.problems, []);
    assert.deepEqual(first.missing, []);
    assert.ok(first.contents.size > 0, "it read no file");
    const second = await capture(fixture);
    assert.deepEqual(second.tree, first.tree);
    assert.equal(await fixture.world(), before);
  });

  test("items have stable names, each once", async () => {
    await using fixture = await make();
    const names: string[][] = [];
    for (let i = 0; i < 2; i++) {
      await using pinned = await pin(fixture.source);
      names.push(pinned.items.map(({ kind, name }) => `${kind} ${name}`));
    }
    assert.ok((names[0]?.length ?? 0) > 0, "it names nothing");
    assert.equal(new Set(names[0]).size, names[0]?.length);
    assert.deepEqual(names[1], names[0]);
  });

  test("what a moment was pinned for shows that moment, whatever happens after it", async () => {
    await using fixture = await make();
    const before = await capture(fixture);
    await using pinned = await pin(fixture.source);
    await fixture.change();
    const tree = treeOf(fixture, await readSource(pinned.source));
    const after = await capture(fixture);
    assert.notDeepEqual(after.tree, before.tree, "the change is not to be seen");
    assert.deepEqual(tree, fixture.source.pinsMoment ? before.tree : after.tree);
  });
}

function testMissing(make: MakeProtectedSource): void {
  test("an item that is gone is missing, by name and with the reason", async () => {
    await using fixture = await make();
    if (fixture.removeItem === undefined) return;
    const gone = await fixture.removeItem();
    await using pinned = await pin(fixture.source);
    await readSource(pinned.source);
    const missing = pinned.missing();
    assert.deepEqual(
      missing.map(({ name }) => name),
      [gone],
    );
    assert.notEqual(missing[0]?.reason, "");
    assert.ok(!pinned.items.some(({ name }) => name === gone), "it is named as held, too");
  });

  test("where nothing is left, it rejects, or misses all of it", async () => {
    await using fixture = await make();
    await fixture.removeAll();
    const outcome = await capture(fixture).catch((error: unknown) => error as Error);
    if (outcome instanceof Error) assert.notEqual(outcome.message, "");
    else assert.ok(outcome.missing.length > 0, "nothing is read, and nobody is told");
    assert.equal(await fixture.held(), 0);
  });
}

function testReleasing(make: MakeProtectedSource): void {
  test("disposing lets go of everything, read or not, once or twice", async () => {
    await using fixture = await make();
    await capture(fixture);
    assert.equal(await fixture.held(), 0, "after a read");
    const pinned = await pin(fixture.source);
    await pinned[Symbol.asyncDispose]();
    await pinned[Symbol.asyncDispose]();
    assert.equal(await fixture.held(), 0, "without a read");
  });

  test("a pin that is aborted before it begins rejects with the reason", async () => {
    await using fixture = await make();
    const reason = new Error("enough");
    const aborted = pin(fixture.source, { signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted, (error) => error === reason);
    assert.equal(await fixture.held(), 0);
  });

  test("a read that is aborted in the middle ends, and nothing is held after it", async () => {
    await using fixture = await make();
    const stop = new AbortController();
    const reason = new Error("enough");
    {
      await using pinned = await pin(fixture.source, { signal: stop.signal });
      await using session = await pinned.source.open({ signal: stop.signal, onProblem() {} });
      let entry = (await session.root())[0];
      while (entry?.metadata.type === "dir") entry = (await session.list(entry))[0];
      assert.ok(entry?.content, "the first entry of each folder leads to a file");
      const { content } = entry;
      if (content.kind === "stream") {
        const read = async (): Promise<void> => {
          for await (const _ of content.open(stop.signal)) stop.abort(reason);
          stop.signal.throwIfAborted();
        };
        await assert.rejects(read(), (error) => error === reason);
      } else stop.abort(reason);
    }
    assert.equal(await fixture.held(), 0);
  });

  test("a reader that goes away leaves nothing behind", async () => {
    await using fixture = await make();
    {
      await using pinned = await pin(fixture.source);
      await using session = await pinned.source.open({ signal, onProblem() {} });
      let entry = (await session.root())[0];
      while (entry?.metadata.type === "dir") entry = (await session.list(entry))[0];
      if (entry?.content?.kind === "stream") {
        for await (const _ of entry.content.open(signal)) break;
      }
    }
    assert.equal(await fixture.held(), 0);
  });
}
