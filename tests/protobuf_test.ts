import assert from "node:assert/strict";
import { Message } from "../lib/protobuf.ts";

Deno.test("a message has the bytes of the specification's examples", () => {
  const bytes = (message: Message) => message.encode().toHex();
  // From https://protobuf.dev/programming-guides/encoding/.
  assert.equal(bytes(new Message().integer(1, 150)), "089601");
  assert.equal(bytes(new Message().text(2, "testing")), "120774657374696e67");
  assert.equal(bytes(new Message().message(3, new Message().integer(1, 150))), "1a03089601");
  assert.equal(bytes(new Message().integer(20, 0)), "a00100");
  assert.equal(bytes(new Message().integer(1, 2 ** 40)), "08808080808020");
  assert.equal(bytes(new Message().integer(1, -2)), "08feffffffffffffffff01");
  assert.equal(bytes(new Message().float(2, 1.5)), "150000c03f");
  assert.equal(bytes(new Message().double(1, -2)), "0900000000000000c0");
});
