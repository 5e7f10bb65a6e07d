import { assertEquals, assertThrows } from "@std/assert";
import {
  type Cart,
  checkOut,
  type Orders,
  put,
  type Stock,
} from "../../../examples/shop/checkout.ts";

Deno.test("checkOut() makes an order of what is in the cart and in stock", () => {
  const stock: Stock = {};
  const cart: Cart = {};
  const orders: Orders = {};
  put(stock, "teapot", 3);
  put(cart, "teapot", 1);
  put(cart, "teapot", 1);
  const order = { number: 1, customer: "ada", items: { teapot: 2 } };
  assertEquals(checkOut("ada", cart, stock, orders), order);
  assertEquals([cart, stock, orders], [{}, { teapot: 1 }, { list: [order] }]);
});

Deno.test("checkOut() refuses an empty cart, and what is sold out", () => {
  assertThrows(() => checkOut("ada", {}, {}, {}), Error, "The cart of ada is empty");
  const few = () => checkOut("ada", { teapot: 2 }, { teapot: 1 }, {});
  assertThrows(few, Error, "There are 1 of teapot, not 2");
  for (const count of [0, -1, 1.5, NaN]) {
    assertThrows(() => put({}, "teapot", count), RangeError, `${count} is no number of items`);
  }
});
