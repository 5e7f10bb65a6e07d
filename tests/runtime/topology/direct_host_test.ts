import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { Payload } from "../../../runtime/payload.ts";
import { directHost } from "../../../runtime/topology/direct_host.ts";
import { Topology } from "../../../runtime/topology/topology.ts";

Deno.test("directHost() has no deployment to call and no call to answer", async () => {
  const host = directHost();
  const error = await assertRejects(
    () => host.call("svc", Payload.of(1), {}),
    MpError,
    'Cannot call "svc": nothing is deployed here',
  );
  assertEquals([error.code, error.reason], ["replica_unreachable", "absent"]);
  assert(error.next);
  assertEquals(host.current(), undefined);
});

Deno.test("directHost() does nothing at mp.serve() in a script that is only tested", async () => {
  // otherwise the program would start, and what it starts would be left over here
  directHost().serve(new Topology());
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("directHost() prints the topology as JSON", () => {
  const topology = new Topology();
  topology.add("a", () => 1, {});
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    directHost().print(topology);
  } finally {
    console.log = log;
  }
  assertEquals(JSON.parse(lines.join("\n")), {
    a: { a: { replicas: 1, kind: "handler", expose: false, needs: [] } },
  });
});
