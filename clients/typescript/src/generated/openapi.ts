// Made from clients/openapi.json by `make clients`; not to be edited.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description When something is odd enough to be told; 0 switches an alert off. */
        Alerts: {
            /**
             * Format: int32
             * @description Users for whom one address gave wrong codes within ten minutes.
             * @example 10
             */
            addressUsers: number;
            /**
             * Format: int32
             * @description Wrong codes of one user in a row.
             * @example 10
             */
            bruteForceAttempts: number;
            /**
             * Format: int32
             * @description Recovery codes of one user that were used within a day.
             * @example 3
             */
            recoveryCodesPerDay: number;
            /** @description Whether spent codes that come again from elsewhere are told. */
            relays: boolean;
            /**
             * Format: int32
             * @description Users reset with one API key within an hour.
             * @example 20
             */
            resetsPerHour: number;
            /** @description Whether limits on messages that are reached are told. */
            sendFloods: boolean;
        };
        /**
         * @description The hash behind a TOTP code.
         * @enum {string}
         */
        Algorithm: "SHA1" | "SHA256" | "SHA512";
        /** @description An API key, without the key itself. */
        ApiKey: {
            /** @description When it was made. */
            createdAt: components["schemas"]["Time"];
            expiresAt: components["schemas"]["Time"] | null;
            /**
             * @description Its id.
             * @example key_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            /**
             * @description Its name.
             * @example login service
             */
            name: string;
            /** @description Whether it may also make and remove tenants. */
            root: boolean;
            /** @description What it may do. */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A page of a listing. */
        ApiKeyList: {
            /** @description The rows. */
            data: components["schemas"]["ApiKey"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description The `response` of an authentication. */
        AssertionResponse: {
            /** @description Base64url. */
            authenticatorData: string;
            /** @description Base64url. */
            clientDataJSON: string;
            /** @description Base64url. */
            signature: string;
            /** @description The user's handle, base64url; discoverable credentials have it. */
            userHandle?: string | null;
        };
        /** @description Wishes for an authentication. */
        AssertionWish: {
            userVerification?: components["schemas"]["UserVerification"] | null;
        };
        /**
         * @description Whether the authenticator is part of the device or a thing of its own.
         * @enum {string}
         */
        Attachment: "platform" | "cross-platform";
        /**
         * @description Whether the authenticator tells its make.
         * @enum {string}
         */
        Attestation: "none" | "indirect" | "direct" | "enterprise";
        /** @description The `response` of a registration. */
        AttestationResponse: {
            /** @description Base64url. */
            attestationObject: string;
            /** @description Base64url. */
            clientDataJSON: string;
            /** @description How the authenticator can be reached. */
            transports?: string[] | null;
        };
        /** @description The head of a shard's chain, signed. */
        AuditCheckpoint: {
            /** @description The time of the last event. */
            at: components["schemas"]["Time"];
            /** @description The hash after it, hex. */
            hash: string;
            /**
             * Format: int64
             * @description The last event's place.
             */
            sequence: number;
            /**
             * Format: int32
             * @description Which chain.
             */
            shard: number;
            /**
             * @description A compact JWS (RFC 7515) of type `audit-head+jws` over `{iss, clusterId, shard, sequence,
             *     hash, at}`, by a key of `/.well-known/jwks.json`.
             */
            signature: string;
        };
        /** @description A page of a listing. */
        AuditCheckpointList: {
            /** @description The rows. */
            data: components["schemas"]["AuditCheckpoint"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description One thing that was decided. */
        AuditEvent: {
            /** @description The id of the API key that asked; null for the system itself. */
            actor: string | null;
            /** @description When. */
            at: components["schemas"]["Time"];
            /** @description The challenge concerned. */
            challengeId: string | null;
            /**
             * @description More, by stable names.
             * @example {}
             */
            details: {
                [key: string]: string;
            };
            /** @description The factor concerned. */
            factorId: string | null;
            /**
             * @description Its id.
             * @example evt_0_42
             */
            id: string;
            /**
             * @description The person's address, where known.
             * @example 203.0.113.7
             */
            ipAddress: string | null;
            /** @description How it went. */
            outcome: components["schemas"]["Outcome"];
            /** @description What it takes to verify the event offline. */
            proof: components["schemas"]["AuditProof"];
            /**
             * @description The stand-in that outlives the user.
             * @example psn_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            pseudonym: string | null;
            /**
             * @description Why, as a stable word.
             * @example invalid_code
             */
            reason: string | null;
            /**
             * @description What, dotted.
             * @example mfa.challenge.verified
             */
            type: string;
            /**
             * @description Whose; null if it is no user's or the user was erased.
             * @example user_42
             */
            userId: string | null;
        };
        /** @description A page of a listing. */
        AuditEventList: {
            /** @description The rows. */
            data: components["schemas"]["AuditEvent"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description An event's place in its shard's hash chain. */
        AuditProof: {
            /**
             * @description The personal part's bytes, base64; null if the user was erased. The chained bytes hold its
             *     salted digest.
             */
            annex: string | null;
            /** @description The chained bytes, base64. */
            chained: string;
            /** @description The chain's hash after this event, hex: SHA-256 over the hash before it and `chained`. */
            hash: string;
            /**
             * Format: int64
             * @description The place in it, from 1.
             */
            sequence: number;
            /**
             * Format: int32
             * @description Which chain.
             */
            shard: number;
        };
        /** @description An `AuthenticationResponseJSON`. */
        AuthenticationResponseJSON: {
            /** @description The credential's id, base64url. */
            id: string;
            /** @description The same. */
            rawId: string;
            /** @description What the authenticator answered. */
            response: components["schemas"]["AssertionResponse"];
            /** @description `public-key`. */
            type: string;
        };
        /** @description What an authenticator must be like. */
        AuthenticatorSelection: {
            authenticatorAttachment: components["schemas"]["Attachment"] | null;
            /** @description The same for browsers of Level 1. */
            requireResidentKey: boolean;
            /** @description Whether the credential can be found without its id. */
            residentKey: components["schemas"]["ResidentKey"];
            /** @description Whether the person must be verified. */
            userVerification: components["schemas"]["UserVerification"];
        };
        /** @description How many users, as it is and as it would be. */
        BeforeAndAfter: {
            /**
             * Format: int64
             * @description As it would be.
             * @example 1200
             */
            after: number;
            /**
             * Format: int64
             * @description As it is.
             * @example 890
             */
            before: number;
        };
        /** @description A challenge. */
        Challenge: {
            /**
             * Format: int32
             * @description Wrong answers left.
             * @example 5
             */
            attemptsRemaining: number;
            /** @description Until when it can be answered. */
            expiresAt: components["schemas"]["Time"];
            /** @description What can answer it, the primary first. */
            factors: components["schemas"]["ChallengeFactor"][];
            /**
             * @description Its id.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            /** @description What answers it. */
            kind: components["schemas"]["ChallengeKind"];
            /** @description Why it was asked. */
            purpose: components["schemas"]["ChallengePurpose"];
            /** @description Whether a recovery code would do. */
            recoveryCodesAvailable: boolean;
            /** @description How it stands. */
            status: components["schemas"]["ChallengeStatus"];
            /**
             * @description Whose it is.
             * @example user_42
             */
            userId: string;
        };
        /** @description Whether a login needs a second factor. Every field is always present. */
        ChallengeAnswer: {
            challenge: components["schemas"]["Challenge"] | null;
            /** @description Whether the user should enroll. */
            enrollmentRequired: boolean;
            gracePeriodEndsAt: components["schemas"]["Time"] | null;
            /** @description Whether it does. */
            mfaRequired: boolean;
            /** @description Why. */
            reason: components["schemas"]["ChallengeReason"];
            tokens: components["schemas"]["Tokens"] | null;
            /** @description The signs of risk that fired. */
            triggers: components["schemas"]["RiskTrigger"][];
        };
        /** @description A factor that can answer a challenge. */
        ChallengeFactor: {
            /**
             * @description Its id.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            /** @description Where codes are sent, masked; null for factors that are not sent codes. */
            maskedDestination: string | null;
            /**
             * @description The name that its user gave it.
             * @example Phone
             */
            name: string | null;
            /** @description Whether it is offered first. */
            primary: boolean;
            /** @description Its kind. */
            type: components["schemas"]["FactorType"];
        };
        /**
         * @description What answers a challenge: a proof of a factor, or the confirmation of a new enrollment.
         * @enum {string}
         */
        ChallengeKind: "PROOF" | "ENROLLMENT_REQUIRED";
        /**
         * @description Why the application asks.
         * @enum {string}
         */
        ChallengePurpose: "LOGIN" | "STEP_UP";
        /**
         * @description Why a second factor is, or is not, asked for.
         * @enum {string}
         */
        ChallengeReason: "POLICY_DISABLED" | "NOT_ENROLLED" | "USER_ENROLLED" | "GRACE_PERIOD" | "ENROLLMENT_REQUIRED" | "POLICY_REQUIRED" | "LOW_RISK" | "RISK" | "TRUSTED_DEVICE";
        /**
         * @description How a challenge stands.
         * @enum {string}
         */
        ChallengeStatus: "PENDING" | "VERIFIED" | "FAILED" | "EXPIRED";
        /** @description The cluster, as the node that answers sees it. */
        Cluster: {
            /**
             * @description Its id.
             * @example clu_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            clusterId: string;
            /** @description The nodes. */
            nodes: components["schemas"]["ClusterNode"][];
            /** @description The shards. */
            shards: components["schemas"]["ClusterShard"][];
            /**
             * @description The answering node's version.
             * @example 0.1.0
             */
            version: string;
        };
        /** @description How far a node's log is behind its leader's. */
        ClusterFollower: {
            /**
             * Format: int64
             * @description How many committed entries its log lacks.
             * @example 0
             */
            behind: number;
            /**
             * Format: int64
             * @description The node.
             * @example 2
             */
            node: number;
        };
        /** @description A node. */
        ClusterNode: {
            /**
             * @description Where its API listens.
             * @example 127.0.0.1:8081
             */
            apiAddress: string;
            /**
             * Format: int64
             * @description Its number, never used again.
             * @example 1
             */
            id: number;
            /**
             * @description Its name.
             * @example n1
             */
            name: string;
            /**
             * @description Where its peers reach it.
             * @example 127.0.0.1:7081
             */
            peerAddress: string;
            /**
             * @description `UP`, or what else is known of it.
             * @example UP
             */
            state: string;
        };
        /** @description A shard: one Raft group. */
        ClusterShard: {
            /**
             * Format: int64
             * @description The last log index that the answering node knows to be committed.
             * @example 1042
             */
            committed: number;
            /**
             * @description How many entries each other node's log lacks, as the leader knows: empty unless the
             *     answering node leads.
             */
            followers: components["schemas"]["ClusterFollower"][];
            /**
             * Format: int32
             * @description Which.
             * @example 0
             */
            id: number;
            /**
             * Format: int64
             * @description The last log index that the answering node applied.
             * @example 1042
             */
            lastApplied: number;
            /**
             * Format: int64
             * @description The leading node; null while there is none.
             * @example 1
             */
            leader: number | null;
            /**
             * @description Nodes that only listen.
             * @example []
             */
            learners: number[];
            /**
             * Format: int64
             * @description The term.
             * @example 1
             */
            term: number;
            /**
             * @description Voting nodes.
             * @example [
             *       1,
             *       2,
             *       3
             *     ]
             */
            voters: number[];
        };
        /** @description A code on its way. The code itself is in no answer. */
        CodeSent: {
            /** @description When the code dies. */
            expiresAt: components["schemas"]["Time"];
            /**
             * @description The factor, enrolled or waiting, that the code proves.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string;
            /**
             * @description Where it is sent, masked.
             * @example +•••••••71
             */
            maskedDestination: string;
            /** @description When the next one may be asked for. */
            resendAvailableAt: components["schemas"]["Time"];
        };
        /** @description A factor that was just confirmed, with a token if the confirmation answered a challenge. */
        ConfirmedFactor: components["schemas"]["Factor"] & {
            tokens: components["schemas"]["Tokens"] | null;
        };
        /** @description Stops sending to a prefix where hardly any code is used. */
        ConversionPolicy: {
            /** @description Whether it does. */
            enabled: boolean;
            /**
             * Format: int32
             * @description The least part of them, in percent, that must have led to a verification.
             * @example 20
             */
            minPercent: number;
            /**
             * Format: int32
             * @description Messages of the last hour, those of the last ten minutes left out, before it judges.
             * @example 30
             */
            minSends: number;
        };
        /** @description Makes an API key. */
        CreateApiKey: {
            /**
             * Format: date-time
             * @description When it ends; never if left out.
             * @example 2027-01-31T00:00:00Z
             */
            expiresAt?: string | null;
            /**
             * @description A name for it.
             * @example login service
             */
            name: string;
            /**
             * @description What it may do; at least one, and none that the asking key lacks.
             * @example [
             *       "mfa"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description Asks whether a login needs a second factor, once the password was checked. */
        CreateChallenge: {
            context?: components["schemas"]["LoginContext"] | null;
            purpose?: components["schemas"]["ChallengePurpose"] | null;
            /**
             * @description Your own id of the user.
             * @example user_42
             */
            userId: string;
        };
        /** @description Asks for a link to the hosted pages. */
        CreatePortalSession: {
            /**
             * @description The challenge to answer, with CHALLENGE; with ENROLL one of kind ENROLLMENT_REQUIRED, if the
             *     enrollment is to answer it.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId?: string | null;
            /** @description What the user is sent there for. */
            purpose: components["schemas"]["PortalPurpose"];
            /**
             * @description Where the browser goes in the end, with `code` added to its query; of one of the `origins`
             *     in the settings.
             * @example https://app.acme.example/mfa/back?state=x7k2
             */
            returnUrl: string;
            /**
             * @description Your own id of the user.
             * @example user_42
             */
            userId: string;
        };
        /** @description Makes a tenant. */
        CreateTenant: {
            /**
             * @description Its name.
             * @example Acme
             */
            name: string;
        };
        /** @description Tells events to an endpoint. */
        CreateWebhook: {
            /**
             * @description What it is for.
             * @example Security team
             */
            description?: string | null;
            /**
             * @description Which events: types such as `mfa.factor.enrolled`, or beginnings of types that end in `*`.
             * @example [
             *       "mfa.*"
             *     ]
             */
            events: string[];
            /**
             * @description Where events are posted: `https://…`, to a public address unless the operator allows others.
             * @example https://acme.example/hooks/mfa
             */
            url: string;
        };
        /** @description What is asked besides. */
        CreationExtensions: {
            /** @description See section 10.1.3. */
            credProps: boolean;
        };
        /** @description A credential. */
        CredentialDescriptor: {
            /** @description Its id, base64url. */
            id: string;
            /** @description How it can be reached. */
            transports: string[];
            /** @description Always `public-key`. */
            type: string;
        };
        /** @description A kind of key. */
        CredentialParameters: {
            /**
             * Format: int64
             * @description Its number in the COSE registry: -8 EdDSA, -7 ES256, -257 RS256.
             * @example -7
             */
            alg: number;
            /** @description Always `public-key`. */
            type: string;
        };
        /** @description What a credential is like. */
        CredentialProperties: {
            /** @description Whether it can be found without its id. */
            rk?: boolean | null;
        };
        /**
         * @description How a delivery stands.
         * @enum {string}
         */
        DeliveryStatus: "PENDING" | "DELIVERED" | "DEAD";
        /** @description The body of a call that needs none: nothing, or `{}`. */
        Empty: Record<string, never>;
        /** @description Begins the enrollment of the user's verified email address. Nothing is sent yet. */
        EnrollEmail: {
            /**
             * @description A name for the factor.
             * @example Mailbox
             */
            name?: string | null;
        };
        /** @description Begins the enrollment of a telephone number. Nothing is sent yet. */
        EnrollSms: {
            /**
             * @description A name for the factor.
             * @example Phone
             */
            name?: string | null;
            /**
             * @description The number in E.164: valid, of a country, and no premium-rate number.
             * @example +14155552671
             */
            phoneNumber: string;
        };
        /** @description Begins the enrollment of an authenticator app. Every field may be left out. */
        EnrollTotp: {
            /**
             * @description The account name that the app shows; the user's email address or id if left out.
             * @example ann@example.com
             */
            accountName?: string | null;
            algorithm?: components["schemas"]["Algorithm"] | null;
            /**
             * Format: int32
             * @description Digits of a code, 6 or 8; 6 if left out.
             * @example 6
             */
            digits?: number | null;
            /**
             * @description A name for the factor.
             * @example Phone
             */
            name?: string | null;
            /**
             * Format: int32
             * @description Seconds of a time step, 15–120; 30 if left out.
             * @example 30
             */
            period?: number | null;
        };
        /** @description Results of extensions, as far as they are read. */
        ExtensionResults: {
            credProps?: components["schemas"]["CredentialProperties"] | null;
        };
        /** @description Something that a user enrolled. */
        Factor: {
            /** @description When it was confirmed. */
            createdAt: components["schemas"]["Time"];
            /**
             * @description Its id.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            lastUsedAt: components["schemas"]["Time"] | null;
            /** @description Where codes are sent, masked; null for factors that are not sent codes. */
            maskedDestination: string | null;
            /**
             * @description The name that its user gave it.
             * @example Phone
             */
            name: string | null;
            /** @description Whether it is offered first. */
            primary: boolean;
            /** @description Whether it is enrolled. */
            status: components["schemas"]["FactorStatus"];
            /** @description Its kind. */
            type: components["schemas"]["FactorType"];
            webauthn: components["schemas"]["WebAuthn"] | null;
        };
        /** @description A page of a listing. */
        FactorList: {
            /** @description The rows. */
            data: components["schemas"]["Factor"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /**
         * @description Whether a factor is enrolled. Only ACTIVE ones are ever listed or asked for.
         * @enum {string}
         */
        FactorStatus: "ACTIVE";
        /**
         * @description A kind of factor.
         * @enum {string}
         */
        FactorType: "TOTP" | "SMS" | "EMAIL" | "WEBAUTHN";
        /** @description Fetches what came of a session. */
        FetchPortalResult: {
            /**
             * @description The `code` that the browser brought back.
             * @example pcd_…
             */
            code: string;
        };
        /** @description What is wrong with one field. */
        FieldError: {
            /**
             * @description What is wrong with it.
             * @example must not be empty
             */
            detail: string;
            /**
             * @description A JSON pointer (RFC 6901) into the body; for a query parameter, `/` and its name.
             * @example /code
             */
            pointer: string;
        };
        /** @description A length of time. */
        GracePeriod: {
            /** @description The unit. */
            unit: components["schemas"]["GraceUnit"];
            /**
             * Format: int32
             * @description How many units; 0 for none, at most a year.
             * @example 7
             */
            value: number;
        };
        /**
         * @description A unit of the grace period.
         * @enum {string}
         */
        GraceUnit: "MINUTES" | "HOURS" | "DAYS";
        /** @description A rule for the users of a group. */
        GroupRule: {
            /**
             * @description What counts; the tenant's own if left out or null.
             * @example [
             *       "TOTP"
             *     ]
             */
            allowedFactors?: components["schemas"]["FactorType"][] | null;
            /**
             * @description The group's name, as the users carry it.
             * @example admins
             */
            group: string;
            /** @description What it demands. */
            requirement: components["schemas"]["Requirement"];
        };
        /** @description Takes over a secret that an authenticator app already has. */
        ImportTotp: {
            algorithm?: components["schemas"]["Algorithm"] | null;
            /**
             * Format: int32
             * @description Digits of a code, 6 or 8; 6 if left out.
             * @example 6
             */
            digits?: number | null;
            /**
             * @description A name for the factor.
             * @example Phone
             */
            name?: string | null;
            /**
             * Format: int32
             * @description Seconds of a time step, 15–120; 30 if left out.
             * @example 30
             */
            period?: number | null;
            /**
             * @description The shared secret in base32, 10–128 bytes; case, spaces and padding do not matter.
             * @example JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP
             */
            secret: string;
        };
        /** @description The public half of a signing key (RFC 7517 section 4, RFC 7518 section 6.2). */
        Jwk: {
            /** @description `ES256`. */
            alg: string;
            /** @description `P-256`. */
            crv: string;
            /** @description The RFC 7638 thumbprint. */
            kid: string;
            /** @description `EC`. */
            kty: string;
            /** @description `sig`. */
            use: string;
            /** @description The x coordinate, base64url. */
            x: string;
            /** @description The y coordinate, base64url. */
            y: string;
        };
        /** @description The keys that verify access tokens (RFC 7517 section 5). */
        JwkSet: {
            /** @description The newest first. */
            keys: components["schemas"]["Jwk"][];
        };
        /** @description A place. */
        Location: {
            /**
             * @description A city's name.
             * @example San Francisco
             */
            city?: string | null;
            /**
             * @description ISO 3166-1 alpha-2.
             * @example US
             */
            country?: string | null;
            /**
             * Format: double
             * @description Degrees; goes with `longitude`.
             * @example 37.7
             */
            latitude?: number | null;
            /**
             * Format: double
             * @description Degrees; goes with `latitude`.
             * @example -122.4
             */
            longitude?: number | null;
            /**
             * @description A region's code or name.
             * @example CA
             */
            region?: string | null;
        };
        /** @description Slowing down guesses. */
        LockoutPolicy: {
            /**
             * Format: int32
             * @description The first delay in seconds.
             * @example 30
             */
            baseDelaySeconds: number;
            /**
             * Format: int32
             * @description Wrong codes in a row after which only an administrator unlocks.
             * @example 100
             */
            hardLimit: number;
            /**
             * Format: int32
             * @description Wrong codes in a row before the first delay.
             * @example 5
             */
            maxAttempts: number;
            /**
             * Format: int32
             * @description The longest delay in seconds.
             * @example 3600
             */
            maxDelaySeconds: number;
        };
        /** @description What is known of a login. */
        LoginContext: {
            /**
             * @description Your own id of the device.
             * @example device-7
             */
            deviceId?: string | null;
            /** @description The `deviceToken` of an earlier verification. */
            deviceToken?: string | null;
            /**
             * @description The person's address.
             * @example 203.0.113.7
             */
            ipAddress?: string | null;
            location?: components["schemas"]["Location"] | null;
            /**
             * @description The browser's `User-Agent`; the first 256 characters count.
             * @example Mozilla/5.0
             */
            userAgent?: string | null;
        };
        /** @description A number or an address that waits for its confirmation. */
        MessageEnrollment: {
            /** @description When the enrollment ends unconfirmed. */
            expiresAt: components["schemas"]["Time"];
            /**
             * @description The id that the factor will have.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string;
            /**
             * @description Where codes will be sent, masked.
             * @example +•••••••71
             */
            maskedDestination: string;
        };
        /**
         * @description Words of your own, with `{{code}}`, `{{issuer}}` and `{{minutes}}` for what is put in; null for
         *     the words that the service brings.
         */
        Messages: {
            /** @description An email as HTML; what is put in is escaped. */
            emailHtml: string | null;
            /** @description An email's subject. */
            emailSubject: string | null;
            /** @description An email as plain text. */
            emailText: string | null;
            /**
             * @description A text message.
             * @example {{code}} is your {{issuer}} code. It works for {{minutes}} minutes.
             */
            smsText: string | null;
        };
        /** @description A user's whole situation. */
        MfaStatus: {
            /** @description Whether the user has an ACTIVE factor. */
            enabled: boolean;
            /**
             * Format: int32
             * @description How many.
             * @example 1
             */
            factorCount: number;
            /**
             * @description How many of each type; types without one are left out.
             * @example {
             *       "TOTP": 1
             *     }
             */
            factors: {
                [key: string]: number;
            };
            /**
             * Format: int32
             * @description Wrong codes since the last success.
             * @example 0
             */
            failedAttempts: number;
            gracePeriodEndsAt: components["schemas"]["Time"] | null;
            lockedUntil: components["schemas"]["Time"] | null;
            /**
             * @description Which is offered first.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            primaryFactorId: string | null;
            /**
             * Format: int32
             * @description Unused recovery codes.
             * @example 10
             */
            recoveryCodesRemaining: number;
            /** @description What the policy demands of this user. */
            requirement: components["schemas"]["Requirement"];
            /**
             * Format: int32
             * @description Trusted devices.
             * @example 0
             */
            trustedDeviceCount: number;
            /** @description Whether codes are refused until an administrator unlocks. */
            unlockRequired: boolean;
        };
        /** @description A fresh API key. The key itself is shown once. */
        NewApiKey: components["schemas"]["ApiKey"] & {
            /**
             * @description The key.
             * @example csk_…
             */
            key: string;
        };
        /** @description A fresh tenant, with its first API key. */
        NewTenant: components["schemas"]["Tenant"] & {
            /** @description Its first API key, of all scopes. */
            apiKey: components["schemas"]["NewApiKey"];
        };
        /** @description That a node is well. */
        NodeStatus: {
            /**
             * @description `UP` for the process, `READY` for its service.
             * @example READY
             */
            status: string;
        };
        /**
         * @description How it went.
         * @enum {string}
         */
        Outcome: "SUCCESS" | "FAILURE";
        /** @description The password changed. */
        PasswordChanged: {
            /**
             * Format: date-time
             * @description When; now if left out, never later.
             * @example 2026-01-31T12:00:00.000Z
             */
            at?: string | null;
        };
        /** @description A tenant's policy. */
        Policy: {
            /** @description What counts as a second factor. */
            allowedFactors: components["schemas"]["FactorType"][];
            /** @description How long a user may go without a factor under REQUIRED. */
            gracePeriod: components["schemas"]["GracePeriod"];
            /** @description Rules that replace the tenant's own for users of a group; the strictest that fits wins. */
            groups: components["schemas"]["GroupRule"][];
            /** @description How guessing is slowed down. */
            lockout: components["schemas"]["LockoutPolicy"];
            /**
             * Format: int32
             * @description How many recovery codes make a set.
             * @example 10
             */
            recoveryCodesCount: number;
            /** @description What is demanded of a user in no listed group. */
            requirement: components["schemas"]["Requirement"];
            /** @description How often codes may be sent. */
            sends: components["schemas"]["SendsPolicy"];
            /**
             * @description Networks from which every login is suspicious.
             * @example [
             *       "198.51.100.0/24"
             *     ]
             */
            suspiciousIpRanges: string[];
            /** @description Which signs of risk fire under RISK_BASED. */
            triggers: components["schemas"]["TriggersPolicy"];
            /** @description Whether and for how long browsers may be trusted. */
            trustedDevices: components["schemas"]["TrustedDevicesPolicy"];
            /** @description The last change. */
            updatedAt: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description Counts the changes; send it with a PATCH to change only what you saw.
             * @example 3
             */
            version: number;
            /** @description What is demanded of security keys and passkeys. */
            webauthn: components["schemas"]["WebAuthnPolicy"];
        };
        /**
         * @description What a change of the policy would mean for users who log in, were it made now. Trusted devices
         *     are not taken into account.
         */
        PolicyPreview: {
            /**
             * Format: int64
             * @description Users who would have something else to expect.
             * @example 310
             */
            affected: number;
            /** @description Users who are asked for a factor that they have, at every login. */
            challenged: components["schemas"]["BeforeAndAfter"];
            /** @description Users who are asked only if a sign of risk is seen. */
            challengedAtRisk: components["schemas"]["BeforeAndAfter"];
            /** @description Whether these are all. If not, they are a fair share, and time was up. */
            complete: boolean;
            /** @description Users who must enroll a factor before their grace period ends, and get in until then. */
            inGrace: components["schemas"]["BeforeAndAfter"];
            /** @description Users who must enroll a factor before they get in. */
            mustEnroll: components["schemas"]["BeforeAndAfter"];
            /** @description Users who are not asked for anything. */
            notAsked: components["schemas"]["BeforeAndAfter"];
            /**
             * Format: int64
             * @description How many were looked at; all else counts these.
             * @example 1204
             */
            scanned: number;
            /**
             * Format: int64
             * @description How many users there are: an estimate if not all were looked at, null if too few were.
             * @example 1204
             */
            users: number | null;
            /** @description Users who have no factor that counts, whatever is asked of them. */
            withoutUsableFactor: components["schemas"]["BeforeAndAfter"];
        };
        /**
         * @description What somebody is sent to the hosted pages for.
         * @enum {string}
         */
        PortalPurpose: "ENROLL" | "CHALLENGE" | "MANAGE";
        /** @description What came of a session. Every field is always present. */
        PortalResult: {
            /**
             * @description The challenge that came with the link.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId: string | null;
            /** @description What to send as `deviceToken` from this browser; null if it is not to be trusted. */
            deviceToken: string | null;
            deviceTokenExpiresAt: components["schemas"]["Time"] | null;
            /**
             * @description The factor that answered the challenge, null for a recovery code; else the one that was
             *     enrolled last, if one was.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string | null;
            /** @description What the user was sent for. */
            purpose: components["schemas"]["PortalPurpose"];
            /** @description Whether what the user was sent for was done. */
            status: components["schemas"]["PortalStatus"];
            tokens: components["schemas"]["Tokens"] | null;
            /**
             * @description Whose session it was. Compare it with the user that you sent.
             * @example user_42
             */
            userId: string;
        };
        /** @description A link to the hosted pages. */
        PortalSession: {
            /** @description Until when it can be opened. */
            expiresAt: components["schemas"]["Time"];
            /**
             * @description Where to send the user's browser. It can be opened once: do not open it yourself.
             * @example https://mfa.acme.example/portal/open/pts_…
             */
            url: string;
        };
        /**
         * @description Whether what somebody was sent to the hosted pages for was done.
         * @enum {string}
         */
        PortalStatus: "COMPLETED" | "CANCELLED";
        /** @description The body of a failed request (RFC 9457 section 3.1, with extension members). */
        Problem: {
            /**
             * Format: int32
             * @description Wrong codes left before something ends or locks, on `invalid_code`.
             */
            attemptsRemaining?: number;
            /**
             * @description A stable word to branch on.
             * @enum {string}
             */
            code: "invalid_request" | "unauthenticated" | "forbidden" | "mfa_disabled" | "factor_not_allowed" | "user_not_found" | "factor_not_found" | "challenge_not_found" | "no_pending_enrollment" | "not_found" | "method_not_allowed" | "recovery_codes_exist" | "factor_limit_reached" | "factor_already_enrolled" | "idempotency_key_reused" | "conflict" | "challenge_expired" | "code_expired" | "enrollment_expired" | "payload_too_large" | "validation_failed" | "invalid_code" | "code_already_used" | "invalid_assertion" | "email_not_verified" | "too_many_attempts" | "too_many_sends" | "rate_limited" | "overloaded_user" | "internal" | "delivery_not_configured" | "unavailable";
            /** @description What happened this time. */
            detail: string;
            /** @description What is wrong with which field, on `validation_failed`. */
            errors?: components["schemas"]["FieldError"][];
            /** @description The request's id, as in `X-Request-Id`. */
            requestId: string;
            /**
             * Format: int64
             * @description Seconds to wait, wherever waiting helps; the same as `Retry-After`.
             */
            retryAfterSeconds?: number;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description What the code means, the same every time. */
            title: string;
            /** @description The address of a page that explains the code. */
            type: string;
        };
        /** @description A `PublicKeyCredentialCreationOptionsJSON`. */
        PublicKeyCredentialCreationOptionsJSON: {
            /** @description Whether the authenticator tells its make. */
            attestation: components["schemas"]["Attestation"];
            /** @description What the authenticator must be like. */
            authenticatorSelection: components["schemas"]["AuthenticatorSelection"];
            /** @description What the authenticator signs; base64url. */
            challenge: string;
            /** @description Credentials whose authenticators must not register again. */
            excludeCredentials: components["schemas"]["CredentialDescriptor"][];
            /** @description Asks for `credProps`, which says whether the key can be found without its id. */
            extensions: components["schemas"]["CreationExtensions"];
            /** @description What kinds of authenticator to offer first. */
            hints: string[];
            /** @description Which keys are good, the best first. */
            pubKeyCredParams: components["schemas"]["CredentialParameters"][];
            /** @description Whom the credential is for. */
            rp: components["schemas"]["RelyingParty"];
            /**
             * Format: int32
             * @description How long the ceremony is open, in milliseconds.
             * @example 300000
             */
            timeout: number;
            /** @description Whose it will be. */
            user: components["schemas"]["UserEntity"];
        };
        /** @description A `PublicKeyCredentialRequestOptionsJSON`. */
        PublicKeyCredentialRequestOptionsJSON: {
            /** @description The user's credentials: no other is accepted. */
            allowCredentials: components["schemas"]["CredentialDescriptor"][];
            /** @description What the authenticator signs; base64url. */
            challenge: string;
            /** @description What kinds of authenticator to offer first. */
            hints: string[];
            /**
             * @description The relying party's id.
             * @example example.com
             */
            rpId: string;
            /**
             * Format: int32
             * @description How long the ceremony is open, in milliseconds.
             * @example 300000
             */
            timeout: number;
            /** @description Whether the person must be verified. */
            userVerification: components["schemas"]["UserVerification"];
        };
        /** @description Who a user is. Replaces what was told before; what is left out is taken away. */
        PutUser: {
            /**
             * @description A name to show.
             * @example Ann Example
             */
            displayName?: string | null;
            /**
             * @description An email address.
             * @example ann@example.com
             */
            email?: string | null;
            /** @description Whether you verified it; false if left out. */
            emailVerified?: boolean | null;
            /**
             * @description Names of groups that policy rules may fit.
             * @example [
             *       "admins"
             *     ]
             */
            groups?: string[] | null;
            /**
             * @description A telephone number, E.164.
             * @example +14155550123
             */
            phoneNumber?: string | null;
        };
        /** @description Fresh recovery codes. Shown once. */
        RecoveryCodes: {
            /**
             * @description Twelve characters each, in three groups.
             * @example [
             *       "7K3M-9QTX-B2WD",
             *       "C8HN-4ZPV-0RJ6"
             *     ]
             */
            codes: string[];
        };
        /** @description How many recovery codes there are. */
        RecoveryCodesStatus: {
            generatedAt: components["schemas"]["Time"] | null;
            /**
             * Format: int32
             * @description Unused.
             * @example 9
             */
            remaining: number;
            /**
             * Format: int32
             * @description In the set.
             * @example 10
             */
            total: number;
        };
        /** @description A recovery code was right, and is spent. */
        RecoveryCodeUsed: {
            /**
             * Format: int32
             * @description How many are left.
             * @example 9
             */
            remaining: number;
            /**
             * @description Always true: a wrong code is a problem.
             * @example true
             */
            verified: boolean;
        };
        /** @description A `RegistrationResponseJSON`. */
        RegistrationResponseJSON: {
            authenticatorAttachment?: components["schemas"]["Attachment"] | null;
            clientExtensionResults?: components["schemas"]["ExtensionResults"] | null;
            /** @description The credential's id, base64url. */
            id: string;
            /** @description The same. */
            rawId: string;
            /** @description What the authenticator answered. */
            response: components["schemas"]["AttestationResponse"];
            /** @description `public-key`. */
            type: string;
        };
        /** @description Wishes for a registration; what is left out is for the policy and the defaults. */
        RegistrationWish: {
            attestation?: components["schemas"]["Attestation"] | null;
            authenticatorAttachment?: components["schemas"]["Attachment"] | null;
            residentKey?: components["schemas"]["ResidentKey"] | null;
            userVerification?: components["schemas"]["UserVerification"] | null;
        };
        /** @description A relying party. */
        RelyingParty: {
            /**
             * @description A domain name.
             * @example example.com
             */
            id: string;
            /**
             * @description A name to show.
             * @example Acme
             */
            name: string;
        };
        /**
         * @description When a second factor is asked for.
         * @enum {string}
         */
        Requirement: "DISABLED" | "OPTIONAL" | "REQUIRED" | "RISK_BASED";
        /** @description Ends a user's factors, recovery codes, trusted devices, enrollments and challenges. */
        ResetMfa: {
            /**
             * @description Why, for the audit log. Nothing personal.
             * @example phone lost, identity checked by support
             */
            reason?: string | null;
        };
        /**
         * @description Whether the credential can be found without its id, as passkeys are.
         * @enum {string}
         */
        ResidentKey: "discouraged" | "preferred" | "required";
        /**
         * @description A sign of risk.
         * @enum {string}
         */
        RiskTrigger: "NEW_DEVICE" | "NEW_LOCATION" | "SUSPICIOUS_IP" | "PASSWORD_CHANGED";
        /** @description Signs with a new secret. */
        RotateWebhookSecret: {
            /**
             * Format: int32
             * @description For how many seconds the old secret signs as well; a day if left out.
             * @example 86400
             */
            overlapSeconds?: number | null;
        };
        /**
         * @description What an API key may do.
         * @enum {string}
         */
        Scope: "mfa" | "policy" | "admin" | "audit" | "keys" | "cluster";
        /** @description Sends a code for a challenge. */
        SendChallengeCode: {
            /**
             * @description To which of the challenge's factors: an SMS or an EMAIL one.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string;
        };
        /** @description Limits on sent codes. */
        SendsPolicy: {
            /**
             * @description Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all.
             * @example [
             *       "US",
             *       "CA"
             *     ]
             */
            allowedCountries: string[];
            /**
             * @description Countries that none go to, even if they are allowed.
             * @example []
             */
            blockedCountries: string[];
            /** @description When sending to a prefix stops because hardly any code that is sent there is used. */
            conversion: components["schemas"]["ConversionPolicy"];
            /**
             * Format: int32
             * @description Seconds between two codes of one factor.
             * @example 30
             */
            cooldownSeconds: number;
            /**
             * Format: int32
             * @description Codes of one user in a day.
             * @example 20
             */
            perDay: number;
            /**
             * Format: int32
             * @description Codes to one number or address in a day, over all users.
             * @example 20
             */
            perDestinationPerDay: number;
            /**
             * Format: int32
             * @description Text messages to one prefix (country and operator) in an hour.
             * @example 300
             */
            perPrefixPerHour: number;
            /**
             * Format: int32
             * @description Messages of the tenant in a day, text messages and emails each.
             * @example 10000
             */
            perTenantPerDay: number;
            /**
             * Format: int32
             * @description Codes of one user in ten minutes.
             * @example 5
             */
            perTenMinutes: number;
        };
        /** @description A tenant's settings. */
        Settings: {
            /** @description When something is odd enough to be told. */
            alerts: components["schemas"]["Alerts"];
            /**
             * @description The name that authenticator apps show.
             * @example Acme
             */
            issuer: string;
            /** @description The words of messages. */
            messages: components["schemas"]["Messages"];
            /**
             * @description Origins from which ceremonies are accepted.
             * @example [
             *       "https://login.acme.example"
             *     ]
             */
            origins: string[];
            /**
             * @description The WebAuthn relying party id: a domain name.
             * @example acme.example
             */
            rpId: string;
            /**
             * @description The relying party's display name.
             * @example Acme
             */
            rpName: string;
            /**
             * @description The tokens' `aud`.
             * @example acme
             */
            tokenAudience: string;
            /**
             * Format: int32
             * @description How long an access token lives, in seconds.
             * @example 900
             */
            tokenTtlSeconds: number;
        };
        /** @description What happened to a tenant's users within a window that ends now. */
        Statistics: {
            countedSince: components["schemas"]["Time"] | null;
            /** @description The slots, the oldest first; the last one is not over. */
            slots: components["schemas"]["StatisticsSlot"][];
            /**
             * Format: int64
             * @description How long a slot is.
             * @example 60
             */
            slotSeconds: number;
            /** @description All slots together. */
            total: components["schemas"]["StatisticsCounts"];
            /** @description The window. */
            window: components["schemas"]["StatisticsWindow"];
        };
        /** @description How often something happened. */
        StatisticsCounts: {
            /**
             * Format: int32
             * @description Alerts that were raised.
             * @example 0
             */
            alerts: number;
            /**
             * Format: int32
             * @description Those of them that were challenged.
             * @example 80
             */
            challenges: number;
            /**
             * Format: int32
             * @description Messages with a code that could not be delivered.
             * @example 0
             */
            deliveryFailures: number;
            /**
             * Format: int32
             * @description Proofs that were read and refused, be it in a challenge, an enrollment or elsewhere.
             * @example 3
             */
            failures: number;
            /**
             * Format: int32
             * @description Users who were locked.
             * @example 1
             */
            lockouts: number;
            /**
             * Format: int32
             * @description Logins and step-ups about which was asked.
             * @example 120
             */
            logins: number;
            /**
             * Format: int32
             * @description Messages with a code that left.
             * @example 14
             */
            sends: number;
            /**
             * Format: int32
             * @description Proofs that were right.
             * @example 78
             */
            verifications: number;
        };
        /** @description What happened within a slot. */
        StatisticsSlot: components["schemas"]["StatisticsCounts"] & {
            /** @description When it begins. */
            at: components["schemas"]["Time"];
        };
        /**
         * @description How far back is looked, and how finely.
         * @enum {string}
         */
        StatisticsWindow: "1h" | "24h";
        /** @description A tenant. */
        Tenant: {
            /** @description When it was made. */
            createdAt: components["schemas"]["Time"];
            /**
             * @description Its id.
             * @example ten_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            /**
             * @description Its name.
             * @example Acme
             */
            name: string;
        };
        /** @description A page of a listing. */
        TenantList: {
            /** @description The rows. */
            data: components["schemas"]["Tenant"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /**
         * Format: date-time
         * @description A point in time: RFC 3339, UTC, milliseconds.
         * @example 2026-01-31T12:00:00.000Z
         */
        Time: string;
        /**
         * @description What tokens of a tenant say. All tenants' tokens are signed by the same keys, so whoever believes
         *     a token compares all three.
         */
        TokenFacts: {
            /**
             * @description Their `aud`.
             * @example countersign
             */
            audience: string;
            /**
             * @description Their `iss`.
             * @example https://mfa.acme.example
             */
            issuer: string;
            /**
             * @description Their `tenant`.
             * @example default
             */
            tenantId: string;
            /**
             * Format: int32
             * @description Seconds until one expires, counted from its making.
             * @example 900
             */
            ttlSeconds: number;
        };
        /**
         * @description An access token: an ES256 JWT with `iss, aud, sub, iat, exp, jti, auth_time, acr, amr, tenant`.
         *     Its key is at `/.well-known/jwks.json`.
         */
        Tokens: {
            /**
             * @description The token, for the application to verify.
             * @example eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiJ1c2VyXzQyIn0.c2ln
             */
            accessToken: string;
            /**
             * Format: int32
             * @description Seconds until it expires, counted from its making.
             * @example 900
             */
            expiresIn: number;
            /**
             * @description `Bearer`.
             * @example Bearer
             */
            tokenType: string;
        };
        /** @description What an authenticator app needs. Shown once. */
        TotpEnrollment: {
            /** @description When the enrollment ends unconfirmed. */
            expiresAt: components["schemas"]["Time"];
            /**
             * @description The id that the factor will have.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string;
            /**
             * @description The QR code as an SVG document.
             * @example <svg …></svg>
             */
            qrCodeSvg: string;
            /**
             * @description The `otpauth://` address that the QR code holds.
             * @example otpauth://totp/Acme:ann@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme
             */
            qrCodeUri: string;
            /**
             * @description The shared secret in base32 without padding, for typing in.
             * @example JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP
             */
            secret: string;
        };
        /** @description What became of the shards that a node led. */
        TransferredLeadership: {
            /**
             * Format: int32
             * @description How many the node leads still, since no other could take them over.
             * @example 0
             */
            kept: number;
            /**
             * Format: int32
             * @description How many shards another node leads now.
             * @example 5
             */
            moved: number;
        };
        /** @description Signs of risk. */
        TriggersPolicy: {
            /** @description The password changed since the last verification. */
            afterPasswordChange: boolean;
            /** @description A browser not seen before. */
            newDevice: boolean;
            /** @description A country not seen before, or impossible travel. */
            newLocation: boolean;
            /** @description A listed network, or an address that keeps failing. */
            suspiciousIp: boolean;
        };
        /** @description A browser that a user asked to be remembered in. */
        TrustedDevice: {
            /** @description When it was trusted. */
            createdAt: components["schemas"]["Time"];
            /** @description Until when it does. */
            expiresAt: components["schemas"]["Time"];
            /**
             * @description Its id.
             * @example dev_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            lastUsedAt: components["schemas"]["Time"] | null;
            /**
             * @description The name that its user gave it.
             * @example Laptop
             */
            name: string | null;
            /** @description The browser's `User-Agent` when it was trusted. */
            userAgent: string | null;
        };
        /** @description A page of a listing. */
        TrustedDeviceList: {
            /** @description The rows. */
            data: components["schemas"]["TrustedDevice"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description Trusting browsers. */
        TrustedDevicesPolicy: {
            /**
             * Format: int32
             * @description For how many days.
             * @example 30
             */
            durationDays: number;
            /** @description Whether it is offered at all. */
            enabled: boolean;
        };
        /** @description A change of thresholds. */
        UpdateAlerts: {
            /**
             * Format: int32
             * @description Users for whom one address gave wrong codes within ten minutes.
             */
            addressUsers?: number | null;
            /**
             * Format: int32
             * @description Wrong codes of one user in a row.
             */
            bruteForceAttempts?: number | null;
            /**
             * Format: int32
             * @description Recovery codes of one user that were used within a day.
             */
            recoveryCodesPerDay?: number | null;
            /** @description Whether spent codes that come again from elsewhere are told. */
            relays?: boolean | null;
            /**
             * Format: int32
             * @description Users reset with one API key within an hour.
             */
            resetsPerHour?: number | null;
            /** @description Whether limits on messages that are reached are told. */
            sendFloods?: boolean | null;
        };
        /** @description A change of when sending to a prefix stops. */
        UpdateConversion: {
            /** @description Whether it does. */
            enabled?: boolean | null;
            /**
             * Format: int32
             * @description The least part, in percent, that must have been used.
             */
            minPercent?: number | null;
            /**
             * Format: int32
             * @description Messages before it judges.
             */
            minSends?: number | null;
        };
        /** @description A change of a factor. */
        UpdateFactor: {
            /**
             * @description The new name; null takes the name away.
             * @example Work phone
             */
            name: string | null;
        };
        /** @description A change of the grace period. */
        UpdateGracePeriod: {
            unit?: components["schemas"]["GraceUnit"] | null;
            /**
             * Format: int32
             * @description How many units; 0 for none, at most a year.
             * @example 7
             */
            value?: number | null;
        };
        /** @description A change of how guessing is slowed down. */
        UpdateLockout: {
            /**
             * Format: int32
             * @description The first delay in seconds.
             */
            baseDelaySeconds?: number;
            /**
             * Format: int32
             * @description Wrong codes in a row after which only an administrator unlocks; at least `maxAttempts`.
             */
            hardLimit?: number;
            /**
             * Format: int32
             * @description Wrong codes in a row before the first delay.
             */
            maxAttempts?: number;
            /**
             * Format: int32
             * @description The longest delay in seconds, at least the first.
             */
            maxDelaySeconds?: number;
        };
        /** @description A change of words: what is left out stays, null goes back to the service's. */
        UpdateMessages: {
            /** @description An email as HTML; must contain `{{code}}`. */
            emailHtml?: string | null;
            /** @description An email's subject. */
            emailSubject?: string | null;
            /** @description An email as plain text; must contain `{{code}}`. */
            emailText?: string | null;
            /** @description A text message; must contain `{{code}}`. */
            smsText?: string | null;
        };
        /** @description A change of the policy (RFC 7396): what is left out stays, lists are replaced whole. */
        UpdatePolicy: {
            /** @description What counts as a second factor; at least one. */
            allowedFactors?: components["schemas"]["FactorType"][];
            /** @description How long a user may go without a factor under REQUIRED. */
            gracePeriod?: components["schemas"]["UpdateGracePeriod"];
            /** @description Rules for groups. */
            groups?: components["schemas"]["GroupRule"][];
            /** @description How guessing is slowed down. */
            lockout?: components["schemas"]["UpdateLockout"];
            /**
             * Format: int32
             * @description How many recovery codes make a set.
             */
            recoveryCodesCount?: number;
            /** @description What is demanded of a user in no listed group. */
            requirement?: components["schemas"]["Requirement"];
            /** @description How often codes may be sent to one user. */
            sends?: components["schemas"]["UpdateSends"];
            /**
             * @description Networks, or single addresses, from which every login is suspicious.
             * @example [
             *       "198.51.100.0/24"
             *     ]
             */
            suspiciousIpRanges?: string[];
            /** @description Which signs of risk fire under RISK_BASED. */
            triggers?: components["schemas"]["UpdateTriggers"];
            /** @description Whether and for how long browsers may be trusted. */
            trustedDevices?: components["schemas"]["UpdateTrustedDevices"];
            /**
             * Format: int64
             * @description The version that you saw; 409 `conflict` if it is not the current one.
             */
            version?: number;
            /** @description What is demanded of security keys and passkeys. */
            webauthn?: components["schemas"]["UpdateWebAuthnPolicy"];
        };
        /** @description A change of the limits on sent codes. */
        UpdateSends: {
            /**
             * @description Countries (ISO 3166-1 alpha-2) that text messages go to; empty for all.
             * @example [
             *       "US",
             *       "CA"
             *     ]
             */
            allowedCountries?: string[];
            /**
             * @description Countries that none go to.
             * @example []
             */
            blockedCountries?: string[];
            /** @description When sending to a prefix stops. */
            conversion?: components["schemas"]["UpdateConversion"];
            /**
             * Format: int32
             * @description Seconds between two codes of one factor.
             */
            cooldownSeconds?: number;
            /**
             * Format: int32
             * @description Codes of one user in a day.
             */
            perDay?: number;
            /**
             * Format: int32
             * @description Codes to one number or address in a day, over all users.
             */
            perDestinationPerDay?: number;
            /**
             * Format: int32
             * @description Text messages to one prefix in an hour.
             */
            perPrefixPerHour?: number;
            /**
             * Format: int32
             * @description Messages of the tenant in a day, text messages and emails each.
             */
            perTenantPerDay?: number;
            /**
             * Format: int32
             * @description Codes of one user in ten minutes.
             */
            perTenMinutes?: number;
        };
        /** @description A change of the settings (RFC 7396): what is left out stays. */
        UpdateSettings: {
            /** @description When something is odd enough to be told. */
            alerts?: components["schemas"]["UpdateAlerts"];
            /**
             * @description The name that authenticator apps show; without a colon.
             * @example Acme
             */
            issuer?: string;
            /** @description The words of messages. */
            messages?: components["schemas"]["UpdateMessages"];
            /**
             * @description Origins from which ceremonies are accepted: `https://…`, or `http://localhost`.
             * @example [
             *       "https://login.acme.example"
             *     ]
             */
            origins?: string[];
            /**
             * @description The WebAuthn relying party id: a domain name.
             * @example acme.example
             */
            rpId?: string;
            /**
             * @description The relying party's display name.
             * @example Acme
             */
            rpName?: string;
            /**
             * @description The tokens' `aud`.
             * @example acme
             */
            tokenAudience?: string;
            /**
             * Format: int32
             * @description How long an access token lives, in seconds.
             * @example 900
             */
            tokenTtlSeconds?: number;
        };
        /** @description A change of which signs of risk fire. */
        UpdateTriggers: {
            /** @description The password changed since the last verification. */
            afterPasswordChange?: boolean;
            /** @description A browser not seen before. */
            newDevice?: boolean;
            /** @description A country not seen before, or impossible travel. */
            newLocation?: boolean;
            /** @description A listed network, or an address that keeps failing. */
            suspiciousIp?: boolean;
        };
        /** @description A change of how browsers are trusted. */
        UpdateTrustedDevices: {
            /**
             * Format: int32
             * @description For how many days.
             */
            durationDays?: number;
            /** @description Whether it is offered at all. */
            enabled?: boolean;
        };
        /** @description A change of what is demanded of security keys and passkeys. */
        UpdateWebAuthnPolicy: {
            /**
             * @description The models that are good; empty for all.
             * @default null
             */
            allowedAaguids: string[] | null;
            /**
             * @description Whether passkeys may be kept on several devices.
             * @default null
             */
            syncedPasskeys: boolean | null;
            /** @default null */
            userVerification: components["schemas"]["UserVerification"] | null;
        };
        /** @description A change of an endpoint: what is left out stays. */
        UpdateWebhook: {
            /** @description What it is for; null takes the text away. */
            description?: string | null;
            /** @description Whether events are delivered. Once it is enabled again, events of the last 24 hours are. */
            enabled?: boolean | null;
            /**
             * @description Which events.
             * @example [
             *       "mfa.alert.*"
             *     ]
             */
            events?: string[] | null;
            /**
             * @description Where events are posted.
             * @example https://acme.example/hooks/mfa
             */
            url?: string | null;
        };
        /** @description A user. */
        User: {
            /** @description When the user was first written. */
            createdAt: components["schemas"]["Time"];
            /**
             * @description A name to show.
             * @example Ann Example
             */
            displayName: string | null;
            /**
             * @description An email address.
             * @example ann@example.com
             */
            email: string | null;
            /** @description Whether you verified it. */
            emailVerified: boolean;
            /**
             * @description Names of groups that policy rules may fit.
             * @example [
             *       "admins"
             *     ]
             */
            groups: string[];
            /**
             * @description Your own id.
             * @example user_42
             */
            id: string;
            /**
             * @description A telephone number, E.164.
             * @example +14155550123
             */
            phoneNumber: string | null;
            /** @description The last change. */
            updatedAt: components["schemas"]["Time"];
        };
        /** @description Spends a recovery code outside a challenge. */
        UseRecoveryCode: {
            /**
             * @description The code. Case, spaces and dashes do not matter.
             * @example 7K3M-9QTX-B2WD
             */
            code: string;
        };
        /** @description A user, as authenticators know one. */
        UserEntity: {
            /**
             * @description The person's name.
             * @example Ann Example
             */
            displayName: string;
            /** @description The user's handle, base64url: bytes that mean nothing elsewhere. */
            id: string;
            /**
             * @description The account's name.
             * @example ann@example.com
             */
            name: string;
        };
        /** @description A page of a listing. */
        UserList: {
            /** @description The rows. */
            data: components["schemas"]["User"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /**
         * @description Whether the authenticator must verify the person, by a PIN or biometrics.
         * @enum {string}
         */
        UserVerification: "discouraged" | "preferred" | "required";
        /** @description A challenge was answered rightly. */
        Verification: {
            /** @description What to send as `deviceToken` from this browser; null if it was not to be trusted. */
            deviceToken: string | null;
            deviceTokenExpiresAt: components["schemas"]["Time"] | null;
            /**
             * @description What proved it; null for a recovery code.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string | null;
            /** @description A token of `acr` `aal2`. */
            tokens: components["schemas"]["Tokens"];
            /**
             * @description Whose challenge it was.
             * @example user_42
             */
            userId: string;
            /**
             * @description Always true: a wrong answer is a problem.
             * @example true
             */
            verified: boolean;
        };
        /** @description A security key or passkey was shown. */
        VerifiedAssertion: {
            /**
             * @description Which factor.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId: string;
            /** @description A token: of `acr` `aal2` if the person was verified, else `aal1`. */
            tokens: components["schemas"]["Tokens"];
            /** @description Whether the person was verified, by a PIN or biometrics. */
            userVerified: boolean;
            /**
             * @description Always true: a wrong answer is a problem.
             * @example true
             */
            verified: boolean;
        };
        /** @description Shows a security key or passkey. */
        VerifyAssertion: {
            /** @description What `navigator.credentials.get()` gave, by its `toJSON()`. */
            assertion: components["schemas"]["AuthenticationResponseJSON"];
        };
        /** @description Answers a challenge: by `factorId` and `code`, by `assertion`, or by `recoveryCode`. */
        VerifyChallenge: {
            assertion?: components["schemas"]["AuthenticationResponseJSON"] | null;
            /**
             * @description Which challenge.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId: string;
            /**
             * @description The factor's code. Spaces and dashes do not matter.
             * @example 492039
             */
            code?: string | null;
            /**
             * @description A name for the browser.
             * @example Laptop
             */
            deviceName?: string | null;
            /**
             * @description Which of its factors; needed with `code`. With `assertion` it may be left out: the answer says
             *     which of the user's keys it was.
             * @example fac_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            factorId?: string | null;
            /** @description A recovery code, instead of a factor's. */
            recoveryCode?: string | null;
            /** @description Whether this browser is to be trusted; the answer then has a `deviceToken`. */
            rememberDevice?: boolean | null;
        };
        /** @description Confirms an enrollment with the code that was sent. */
        VerifySentCode: {
            /**
             * @description A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId?: string | null;
            /**
             * @description The code. Spaces and dashes do not matter.
             * @example 492039
             */
            code: string;
            /**
             * @description A name for the factor, instead of the one given at the beginning.
             * @example Phone
             */
            name?: string | null;
        };
        /** @description Confirms an enrollment. */
        VerifyTotp: {
            /**
             * @description A challenge of kind ENROLLMENT_REQUIRED of the same user, which this confirmation answers.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId?: string | null;
            /**
             * @description The code that the app shows. Spaces and dashes do not matter.
             * @example 492039
             */
            code: string;
            /**
             * @description A name for the factor, instead of the one given at the beginning.
             * @example Phone
             */
            name?: string | null;
        };
        /** @description Ends a registration. */
        VerifyWebAuthn: {
            /**
             * @description A challenge of kind ENROLLMENT_REQUIRED that this answers.
             * @example chl_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            challengeId?: string | null;
            /** @description What `navigator.credentials.create()` gave, by its `toJSON()`. */
            credential: components["schemas"]["RegistrationResponseJSON"];
            /**
             * @description A name for the factor.
             * @example Blue key
             */
            name?: string | null;
        };
        /** @description What is known of a security key or passkey. */
        WebAuthn: {
            /**
             * @description The authenticator's model, as it says; all zeros if it does not.
             * @example ee882879-721c-4913-9775-3dfcce97072a
             */
            aaguid: string;
            /** @description Whether it was when it was last used. */
            backedUp: boolean;
            /** @description Whether its key may be kept on several devices: a synced passkey. */
            backupEligible: boolean;
            /** @description Whether it can be found without its id; null if the browser did not say. */
            residentKey: boolean | null;
            /**
             * Format: int32
             * @description Its signature counter; 0 if it has none.
             * @example 0
             */
            signCount: number;
            /**
             * @description How it can be reached.
             * @example [
             *       "internal",
             *       "hybrid"
             *     ]
             */
            transports: string[];
            /** @description Whether the person was verified when it was registered. */
            userVerified: boolean;
        };
        /** @description What is demanded of security keys and passkeys. */
        WebAuthnPolicy: {
            /**
             * @description The models that are good; empty for all. A model is what an authenticator says of itself.
             * @example [
             *       "ee882879-721c-4913-9775-3dfcce97072a"
             *     ]
             */
            allowedAaguids: string[];
            /** @description Whether passkeys may be kept on several devices. */
            syncedPasskeys: boolean;
            /** @description The least that every ceremony demands. */
            userVerification: components["schemas"]["UserVerification"];
        };
        /** @description An endpoint that is told events. */
        Webhook: {
            /** @description When it was made. */
            createdAt: components["schemas"]["Time"];
            /** @description What it is for. */
            description: string | null;
            disabledAt: components["schemas"]["Time"] | null;
            /**
             * @description Why not: `FAILING` if nothing could be delivered for a day, `REQUESTED` if somebody asked
             *     for it; null while they are.
             * @example FAILING
             */
            disabledReason: string | null;
            /** @description Whether events are delivered. */
            enabled: boolean;
            /**
             * @description Which events: types, or beginnings of types that end in `*`.
             * @example [
             *       "mfa.*"
             *     ]
             */
            events: string[];
            /**
             * @description Its id.
             * @example whk_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            secretCreatedAt: components["schemas"]["Time"] | null;
            /**
             * @description Where events are posted.
             * @example https://acme.example/hooks/mfa
             */
            url: string;
        };
        /** @description The delivery of one event. */
        WebhookDelivery: {
            /**
             * Format: int32
             * @description Attempts so far.
             */
            attempts: number;
            /**
             * @description The audit event that is delivered.
             * @example evt_0_42
             */
            eventId: string;
            /**
             * @description The event's type.
             * @example mfa.factor.enrolled
             */
            eventType: string;
            /**
             * @description Its id, and the `webhook-id` of every attempt.
             * @example dlv_0c7ig9t6h8kq5v2m3n4p1r0s2g
             */
            id: string;
            lastAttemptAt: components["schemas"]["Time"] | null;
            /**
             * @description Why the last attempt got no answer.
             * @example timeout
             */
            lastError: string | null;
            /**
             * Format: int32
             * @description The status that the endpoint answered last.
             * @example 503
             */
            lastStatus: number | null;
            nextAttemptAt: components["schemas"]["Time"] | null;
            /** @description Since when it is tried. */
            since: components["schemas"]["Time"];
            /** @description How it stands. */
            status: components["schemas"]["DeliveryStatus"];
        };
        /** @description A page of a listing. */
        WebhookDeliveryList: {
            /** @description The rows. */
            data: components["schemas"]["WebhookDelivery"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description A page of a listing. */
        WebhookList: {
            /** @description The rows. */
            data: components["schemas"]["Webhook"][];
            /** @description What to send as `cursor` for the next page; null at the end. */
            nextCursor: string | null;
        };
        /** @description A webhook with a secret that is shown once. */
        WebhookWithSecret: components["schemas"]["Webhook"] & {
            /**
             * @description What signs its events (Standard Webhooks): base64 behind `whsec_`.
             * @example whsec_…
             */
            secret: string;
        };
    };
    responses: never;
    parameters: {
        /**
         * @description Repeated within 24 hours with the same request, it has the same answer.
         * @example 4f1c2b0e-6a0e-4d1e-9a53-2f0f6f0c7d11
         */
        IdempotencyKey: string;
        /** @description Your own id of the request: up to 128 visible ASCII characters. */
        RequestId: string;
    };
    requestBodies: never;
    headers: {
        /** @description The methods that this address answers. */
        Allow: string;
        /** @description The request's id: yours if you sent one, else a fresh one. */
        RequestId: string;
        /** @description Seconds to wait. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
