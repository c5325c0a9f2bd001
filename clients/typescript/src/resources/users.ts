import { type CallOptions, path } from "../call.js";
import type { List } from "../pagination.js";
import type { Transport } from "../transport.js";
import type { PutUser, User } from "../types.js";
import { type PageWish, list } from "./list.js";

/** Who your users are. Ids are your own. */
export class Users {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Users by id; `query` is how an id or an address begins. */
  list(wishes: PageWish & { query?: string | undefined } = {}, options?: CallOptions): List<User> {
    return list(this.#transport, "listUsers", "/v1/users", { ...wishes }, options);
  }

  /** A user. */
  async get(userId: string, options?: CallOptions): Promise<User> {
    const at = path`/v1/users/${userId}`;
    return this.#transport.send({ operation: "getUser", method: "GET", path: at }, options);
  }

  /** Writes who a user is: what is left out is taken away. A new user comes into being. */
  async put(userId: string, user: PutUser = {}, options?: CallOptions): Promise<User> {
    const at = path`/v1/users/${userId}`;
    const call = { operation: "putUser", method: "PUT", path: at, body: user } as const;
    return this.#transport.send(call, options);
  }

  /** Erases everything about a user. Needs the scope `admin`. */
  async delete(userId: string, options?: CallOptions): Promise<void> {
    const at = path`/v1/users/${userId}`;
    const call = { operation: "deleteUser", method: "DELETE", path: at, answer: "nothing" } as const;
    return this.#transport.send(call, options);
  }

  /** Tells that a user's password changed: trusted browsers are forgotten. */
  async passwordChanged(
    userId: string,
    when: { at?: string | undefined } = {},
    options?: CallOptions,
  ): Promise<void> {
    const at = path`/v1/users/${userId}/password-changed`;
    const operation = "reportPasswordChanged";
    const call = { operation, method: "POST", path: at, body: when, answer: "nothing" } as const;
    return this.#transport.send(call, options);
  }
}
