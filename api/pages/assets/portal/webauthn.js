// Between the JSON forms of W3C Web Authentication and what browsers take and give. Newer browsers
// have this themselves; here it is for all.

/** @param {string} text base64url */
function bytes(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** @param {ArrayBuffer | null} buffer */
function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer ?? new ArrayBuffer(0)), (byte) =>
    String.fromCharCode(byte),
  );
  return btoa(letters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
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
 * @param {Credential | null} credential
 * @returns {PublicKeyCredential}
 */
function key(credential) {
  if (credential instanceof PublicKeyCredential) return credential;
  throw new DOMException("there is no credential", "NotAllowedError");
}

/**
 * @param {Credential | null} credential
 * @returns {object} a `RegistrationResponseJSON`
 */
export function created(credential) {
  const made = key(credential);
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment ?? undefined,
    clientExtensionResults: made.getClientExtensionResults(),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
}

/**
 * @param {Credential | null} credential
 * @returns {object} an `AuthenticationResponseJSON`
 */
export function shown(credential) {
  const made = key(credential);
  const response = /** @type {AuthenticatorAssertionResponse} */ (made.response);
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : undefined,
    },
  };
}
