/**
 * What the shop keeps, and how a cart becomes an order.
 *
 * @module
 */

/** How many there are of each item. */
export type Stock = Record<string, number>;

/** How many a customer wants of each item. */
export type Cart = Record<string, number>;

/** A cart that was bought. */
export interface Order {
  readonly number: number;
  readonly customer: string;
  readonly items: Readonly<Record<string, number>>;
}

/** All orders. */
export interface Orders {
  list?: Order[];
}

/** Puts items into a stock or a cart. @throws {RangeError} For a number that is none. */
export function put(into: Stock | Cart, item: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`${count} is no number of items`);
  into[item] = (into[item] ?? 0) + count;
}

/**
 * Takes what is in a cart out of the stock, and makes an order of it.
 *
 * It changes three things, and may stop in between: it is for the body of a transaction.
 *
 * @throws {Error} When the cart is empty, or something in it is sold out.
 */
export function checkOut(customer: string, cart: Cart, stock: Stock, orders: Orders): Order {
  const items = Object.entries(cart);
  if (items.length === 0) throw new Error(`The cart of ${customer} is empty`);
  for (const [item, count] of items) {
    const left = stock[item] ?? 0;
    if (left < count) throw new Error(`There are ${left} of ${item}, not ${count}`);
    stock[item] = left - count;
    delete cart[item];
  }
  const list = orders.list ??= [];
  const order = { number: list.length + 1, customer, items: Object.fromEntries(items) };
  list.push(order);
  return order;
}
