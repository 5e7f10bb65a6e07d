import openRpcSchemas from "@open-rpc/meta-schema";
import jsonSchema from "@json-schema-tools/meta-schema";
import { Ajv } from "ajv";
import { assert, assertEquals } from "@std/assert";
import { openRpc } from "../../../runtime/rpc/openrpc.ts";
import { serve, service, serviceOf } from "./served.ts";

const discover = { jsonrpc: "2.0", id: 1, method: "rpc.discover" };

function faults(document: unknown): unknown {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const { openrpcDocument, default: nested } = openRpcSchemas as unknown as Record<string, object>;
  const { default: schema = jsonSchema } = jsonSchema as unknown as { default?: object };
  ajv.addSchema(schema as object, "https://meta.json-schema.tools");
  const validate = ajv.compile(openrpcDocument ?? nested!);
  validate(document);
  return validate.errors;
}

Deno.test("rpc.discover returns a document that OpenRPC's meta-schema accepts", async () => {
  await using served = serve({ name: "shop", revision: "3f2a" });
  const { result } = await served.call(discover);
  assertEquals(faults(result), null);
  assertEquals(result.info, { title: "shop", version: "3f2a" });
  // the meta-schema does find faults
  assert(faults({ ...result, methods: [{ name: "no parameters" }] }) !== null);
});

Deno.test("rpc.discover lists the methods, with the parts that answer and what they do", async () => {
  const described = {
    ...service,
    methods: () => [
      { name: "search", path: "search.gather", description: "Full-text search" },
      { name: "hello" },
    ],
  };
  await using served = serve({ service: described });
  const { methods } = (await served.call(discover)).result;
  const [search, hello] = methods;
  assertEquals(search.name, "search");
  assertEquals(search.description, "Full-text search");
  assertEquals(search["x-path"], "search.gather");
  assertEquals([hello.name, hello.description, hello["x-path"]], ["hello", undefined, undefined]);
});

Deno.test("openRpc() describes an endpoint without methods", () => {
  const document = openRpc({ title: "empty", version: "0" }, serviceOf({}).methods());
  assertEquals(document.methods, []);
  assertEquals(faults(document), null);
});
