/**
 * A bank: accounts, each a scope of its own, and transfers between any two of them.
 *
 * @module
 */

import * as mp from "@metaparticle/mp";

/** Money that goes from one account to another, once, whatever happens meanwhile. */
export interface Transfer {
  from: string;
  to: string;
  amount: number;
}

interface Account {
  balance?: number;
}

/**
 * Both accounts change in one transaction: their writes are stored together or not at all, and another replica that
 * changes one of them meanwhile makes this one run again on what is there then.
 */
function transfer({ from, to, amount }: Transfer): Promise<number> {
  if (!(amount > 0)) throw new Error(`${amount} is no amount`);
  return mp.scoped([`account ${from}`, `account ${to}`], (giver: Account, taker: Account) => {
    const balance = giver.balance ?? 0;
    if (balance < amount) throw new Error(`${from} has ${balance}, not ${amount}`);
    giver.balance = balance - amount;
    taker.balance = (taker.balance ?? 0) + amount;
    return giver.balance;
  });
}

function balance(name: string): Promise<number> {
  return mp.scoped(`account ${name}`, (account: Account) => account.balance ?? 0);
}

mp.service("transfer", mp.spread({ replicas: 3, target: transfer, expose: true }));
mp.service("balance", balance, { expose: true });
mp.serve();
