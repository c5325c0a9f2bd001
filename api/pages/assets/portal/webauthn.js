// Between the JSON forms of W3C Web Authentication and what browsers take and give. Newer browsers
// have this themselves; here it is for all. Password managers put objects of their own in the place of
// the browser's, so nothing is taken for granted of what comes back: each member is read by itself.

/** What came back is no credential. */
export class BrokenCredential extends Error {
  name = "BrokenCredential";
}

/** @param {string} text base64url */
function bytes(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/**
 * Bytes, out of whatever holds them. An object of another window is of another class.
 * @param {unknown} value
 * @returns {Uint8Array | undefined}
 */
function octets(value) {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (Object.prototype.toString.call(value) === "[object ArrayBuffer]") {
    return new Uint8Array(/** @type {ArrayBuffer} */ (value));
  }
  return Array.isArray(value) ? Uint8Array.from(value) : undefined;
}

/**
 * The same as base64url; text is taken to be that already, or base64.
 * @param {unknown} value
 * @returns {string | undefined}
 */
function encoded(value) {
  let base64 = typeof value === "string" ? value : undefined;
  const found = octets(value);
  if (found) base64 = btoa(Array.from(found, (byte) => String.fromCharCode(byte)).join(""));
  const text = base64?.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return text && /^[\w-]+$/.test(text) ? text : undefined;
}

/** @param {{ id: string, type: "public-key", transports: AuthenticatorTransport[] }[]} list */
function descriptors(list) {
  return list.map((one) => ({ ...one, id: bytes(one.id) }));
}

/**
 * @param {any} options a `PublicKeyCredentialCreationOptionsJSON`
 * @returns {PublicKeyCredentialCreationOptions}
 */
export function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
}

/**
 * @param {any} options a `PublicKeyCredentialRequestOptionsJSON`
 * @returns {PublicKeyCredentialRequestOptions}
 */
export function request(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  };
}

/**
 * What a member gives, or what a method gives; nothing if there is none or it fails.
 * @param {any} object
 * @param {string} name
 * @returns {any}
 */
function member(object, name) {
  try {
    const value = object?.[name];
    return typeof value === "function" ? value.call(object) : value;
  } catch {
    return undefined;
  }
}

/**
 * An object as JSON has it; an empty one for what is none, or cannot be JSON.
 * @param {unknown} value
 * @returns {object}
 */
function plain(value) {
  try {
    const copy = JSON.parse(JSON.stringify(value));
    return copy instanceof Object && !Array.isArray(copy) ? copy : {};
  } catch {
    return {};
  }
}

/**
 * Reads a credential member by member: each as it is, else as the object's own JSON has it.
 * @param {unknown} credential
 */
function reader(credential) {
  // Nothing at all is what a person leaves behind who changes their mind.
  if (!credential) throw new DOMException("there is no credential", "NotAllowedError");
  const json = member(credential, "toJSON");
  const [response, told] = [member(credential, "response"), member(json, "response")];
  /** @param {string} name */
  const optional = (name) => encoded(member(response, name)) ?? encoded(member(told, name));
  return {
    optional,
    /** @param {string} name */
    needed(name) {
      const text = optional(name);
      if (text === undefined) throw new BrokenCredential(`the credential has no ${name}`);
      return text;
    },
    /** @param {string} name */
    given: (name) => member(credential, name) ?? member(json, name),
    transports() {
      const list = member(response, "getTransports") ?? member(told, "transports");
      return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
    },
    /** What every answer has. */
    common() {
      const ids = [member(credential, "rawId"), member(json, "rawId"), member(credential, "id")];
      const id = ids.map(encoded).find((one) => one !== undefined);
      if (id === undefined) throw new BrokenCredential("the credential has no id");
      return { id, rawId: id, type: "public-key" };
    },
  };
}

/**
 * @param {unknown} credential
 * @returns {object} a `RegistrationResponseJSON`
 */
export function created(credential) {
  const made = reader(credential);
  const attachment = made.given("authenticatorAttachment");
  const extensions = made.given("getClientExtensionResults") ?? made.given("clientExtensionResults");
  return {
    ...made.common(),
    authenticatorAttachment: typeof attachment === "string" ? attachment : undefined,
    clientExtensionResults: plain(extensions),
    response: {
      clientDataJSON: made.needed("clientDataJSON"),
      attestationObject: made.needed("attestationObject"),
      transports: made.transports(),
    },
  };
}

/**
 * @param {unknown} credential
 * @returns {object} an `AuthenticationResponseJSON`
 */
export function shown(credential) {
  const made = reader(credential);
  return {
    ...made.common(),
    response: {
      clientDataJSON: made.needed("clientDataJSON"),
      authenticatorData: made.needed("authenticatorData"),
      signature: made.needed("signature"),
      userHandle: made.optional("userHandle"),
    },
  };
}
