import { assertEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { appName } from "../../../runtime/script/app_name.ts";

const script = "/home/me/Web Shop/topology.ts";

Deno.test("appName() prefers the flag to the script's own name to the file's", () => {
  assertEquals(appName({ flag: "a", declared: "b", script }), "a");
  assertEquals(appName({ declared: "b", script }), "b");
  assertEquals(appName({ script: "/x/search.ts" }), "search");
});

Deno.test("appName() takes the folder's name for a file whose own says nothing", () => {
  assertEquals(appName({ script }), "web-shop");
  assertEquals(appName({ script: "/x/search/main.js" }), "search");
  assertEquals(appName({ script: "/x/search/index.mts" }), "search");
  assertEquals(appName({ script: "/topology.ts" }), "topology");
});

Deno.test("appName() makes a DNS label of whatever a file is called", () => {
  assertEquals(appName({ script: "/x/My_Shop (2).v1.ts" }), "my-shop-2-v1");
  assertEquals(appName({ script: "/x/Köln-.ts" }), "koln");
  assertEquals(appName({ script: "/x/日本.ts" }), "app");
  assertEquals(appName({ script: `/x/${"ab".repeat(40)}.ts` }), "ab".repeat(40).slice(0, 63));
  assertEquals(appName({ script: `/x/${"a".repeat(62)}-b.ts` }), "a".repeat(62));
});

Deno.test("appName() throws for names that are no DNS labels", () => {
  const flag = assertThrows(
    () => appName({ flag: "Web Shop", script }),
    MpError,
    `Cannot name the app "Web Shop": the name is not a DNS label`,
  );
  assertEquals(flag.code, "usage");
  const declared = assertThrows(() => appName({ declared: "-", script }), MpError);
  assertEquals(declared.code, "topology_invalid");
});
