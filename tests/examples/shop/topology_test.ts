import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Order, Stock } from "../../../examples/shop/checkout.ts";
import { deploy, type Reply } from "../deployed.ts";

Deno.test("examples/shop sells what there is, once, to whoever comes first", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    const env = { MP_STORAGE: `file:${join(folder, "data.db")}` };
    await using shop = await deploy("examples/shop/topology.ts", { env });
    await shop.call("restock", { item: "teapot", count: 10 });
    await shop.call("restock", { item: "spoon", count: 100 });
    const customers = Array.from({ length: 15 }, (_, i) => `customer ${i}`);
    await Promise.all(customers.map(async (customer) => {
      await shop.call("add", { customer, item: "spoon", count: 2 });
      await shop.call("add", { customer, item: "teapot", count: 1 });
    }));
    // each asks twice, as one who has lost the first answer does
    const buy = async (customer: string): Promise<Reply> => {
      const response = await fetch(shop.url, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": `${customer}'s` },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "buy", params: { customer } }),
      });
      return await response.json();
    };
    const replies = await Promise.all(
      customers.map((customer) => Promise.all([buy(customer), buy(customer)])),
    );
    const orders: Order[] = [];
    for (const [one, other] of replies) {
      assertEquals(one.result, other.result);
      if (one.result) orders.push(one.result as Order);
      else assertEquals(one.error?.message, "There are 0 of teapot, not 1");
    }
    assertEquals(orders.length, 10);
    orders.sort((a, b) => a.number - b.number);
    assertEquals(await shop.call("orders"), orders);
    assertEquals(orders.map(({ number }) => number), Array.from({ length: 10 }, (_, i) => i + 1));
    const { stdout } = await shop.sandbox.run(["scope", "get", "stock", "--app", "shop"]);
    assertEquals(JSON.parse(stdout) as Stock, { teapot: 0, spoon: 80 });
    // who came too late still has a full cart
    const { customer } = orders[0]!;
    const unlucky = customers.find((name) => orders.every((order) => order.customer !== name))!;
    const cart = async (name: string) =>
      (await shop.sandbox.run(["scope", "get", `cart of ${name}`, "--app", "shop"])).stdout;
    assertEquals(JSON.parse(await cart(unlucky)), { spoon: 2, teapot: 1 });
    assertEquals(JSON.parse(await cart(customer)), {});
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
