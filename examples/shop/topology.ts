/**
 * A shop: carts, stock and orders are scopes, and buying changes all three together, or none of them.
 *
 * ```sh
 * mp run examples/shop/topology.ts
 * mp client restock '{"item": "teapot", "count": 3}'
 * mp client add '{"customer": "ada", "item": "teapot", "count": 2}'
 * mp client buy '{"customer": "ada"}' --idempotency-key ada-1
 * mp client buy '{"customer": "ada"}' --idempotency-key ada-1     # the same order: she pays once
 * mp scope get stock                                              # {"teapot":1}
 * ```
 *
 * @module
 */

import * as mp from "@metaparticle/mp";
import { type Cart, checkOut, type Order, type Orders, put, type Stock } from "./checkout.ts";

/** The cart of a customer is a scope of its own, so that customers are not in each other's way. */
const cartOf = (customer: string) => `cart of ${customer}`;

mp.service(
  "restock",
  (goods: { item: string; count: number }): Promise<Stock> =>
    mp.scoped("stock", (stock: Stock) => {
      put(stock, goods.item, goods.count);
      return stock;
    }),
  { expose: true },
);

mp.service(
  "add",
  ({ customer, item, count }: { customer: string; item: string; count: number }): Promise<Cart> =>
    mp.scoped(cartOf(customer), (cart: Cart) => {
      put(cart, item, count);
      return cart;
    }),
  { expose: true },
);

// A body that throws changes nothing, so nobody's teapots are lost when the spoons are sold out.
mp.service(
  "buy",
  mp.spread({
    replicas: 2,
    expose: true,
    target: ({ customer }: { customer: string }): Promise<Order> =>
      mp.scoped(
        [cartOf(customer), "stock", "orders"],
        (cart: Cart, stock: Stock, orders: Orders) => checkOut(customer, cart, stock, orders),
      ),
  }),
);

mp.service("orders", () => mp.scoped("orders", ({ list = [] }: Orders) => list), { expose: true });

mp.serve();
