// An authenticator that exists within the browser alone, through the DevTools protocol (the
// WebAuthn domain): a phone's or a laptop's own, or a key on USB.

/** @typedef {import("playwright-core").Page} Page */

const KINDS = {
  /** What a laptop or phone has built in: knows its user, keeps passkeys. */
  internal: {
    protocol: "ctap2",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  },
  /** A key that is touched, and that cannot tell who touches it. */
  usb: {
    protocol: "ctap2",
    transport: "usb",
    hasResidentKey: false,
    hasUserVerification: false,
    isUserVerified: false,
    automaticPresenceSimulation: true,
  },
};

/** An authenticator of a page. */
export class Authenticator {
  /**
   * @param {import("playwright-core").CDPSession} session
   * @param {string} id
   */
  constructor(session, id) {
    this.session = session;
    this.id = id;
  }

  /**
   * Plugs one in. The browser asks no person: this authenticator answers.
   * @param {Page} page
   * @param {keyof typeof KINDS} kind
   * @param {Record<string, unknown>} [other] what differs from the kind
   */
  static async plugIn(page, kind, other = {}) {
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable", { enableUI: false });
    const options = /** @type {any} */ ({ ...KINDS[kind], ...other });
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options });
    return new Authenticator(session, authenticatorId);
  }

  /** What it keeps. */
  async credentials() {
    const authenticatorId = this.id;
    return (await this.session.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  }

  /** Forgets all that it kept, as a key that was reset. */
  async clear() {
    await this.session.send("WebAuthn.clearCredentials", { authenticatorId: this.id });
  }

  /**
   * Sets the counter of a credential, as only a copy of a key would show it.
   * @param {string} credentialId
   * @param {number} signCount
   */
  async count(credentialId, signCount) {
    const credential = (await this.credentials()).find((one) => one.credentialId === credentialId);
    if (!credential) throw new Error(`there is no credential ${credentialId}`);
    const authenticatorId = this.id;
    await this.session.send("WebAuthn.removeCredential", { authenticatorId, credentialId });
    await this.session.send("WebAuthn.addCredential", {
      authenticatorId,
      credential: { ...credential, signCount },
    });
  }

  /**
   * Whether it is touched when it blinks.
   * @param {boolean} enabled
   */
  async touched(enabled) {
    await this.session.send("WebAuthn.setAutomaticPresenceSimulation", {
      authenticatorId: this.id,
      enabled,
    });
  }

  /**
   * Whether it knows its user the next time.
   * @param {boolean} isUserVerified
   */
  async knowsUser(isUserVerified) {
    await this.session.send("WebAuthn.setUserVerified", {
      authenticatorId: this.id,
      isUserVerified,
    });
  }

  /** Pulls it out. */
  async unplug() {
    await this.session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: this.id });
  }
}
