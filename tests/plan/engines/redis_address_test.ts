import assert from "node:assert/strict";
import { parseRedisAddress } from "../../../lib/plan/engines/redis_address.ts";

Deno.test("parseRedisAddress() reads host, port, database and who asks, and shows no password", () => {
  assert.deepEqual(parseRedisAddress("redis://localhost"), {
    ...{ shown: "redis://localhost:6379", host: "localhost", port: 6379, db: 0, tls: false },
  });
  assert.deepEqual(parseRedisAddress("rediss://me:a%40b%25@[::1]:7000/3"), {
    ...{ shown: "rediss://[::1]:7000/3", host: "::1", port: 7000, db: 3, tls: true },
    ...{ username: "me", password: "a@b%" },
  });
  assert.equal(parseRedisAddress("redis://:secret@queue.example/").password, "secret");
});

Deno.test("what is no address of Redis is refused without being repeated", () => {
  const cases = [
    ...["secret", "", "localhost:6379", "http://:secret@localhost", "redis://", "redis:secret"],
    ...["redis://:secret@localhost/x", "redis://:secret@localhost/0?family=6"],
    ...["redis://:secret%@localhost", "redis://localhost:secret", "redis://localhost#secret"],
  ];
  for (const text of cases) {
    assert.throws(() => parseRedisAddress(text), (error: Error) => {
      assert.match(error.message, /^Cannot use the address of Redis: .*: give redis:\/\/HOST:PORT/);
      assert.equal(error.name, "OptionError");
      return !error.message.includes("secret");
    }, text);
  }
});
