// The client of all snippets, and what keeps them apart.

import { randomInt, randomUUID } from "node:crypto";
import { Countersign } from "@countersign/client";

/** Where the service is, and the key, are in the environment. */
export const client = new Countersign();

/** A user whom no other snippet knows. */
export const newUser = (): string => `user_${randomUUID()}`;

/** A number to which nothing was sent before. */
export const newPhone = (): string => `+1415555${randomInt(1000, 10_000)}`;

/** Whether messages can be read, as of `countersign dev` they can. */
export const hasInbox = process.env["SNIPPETS_INBOX"] === "yes";
