//! Registering: section 7.1.

use ciborium::Value;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::factor::webauthn::options::{
    Attachment, Attestation, RegistrationWish, ResidentKey, UserVerification,
};
use countersign_core::factor::webauthn::response::RegistrationResponse;
use countersign_core::factor::webauthn::{Algorithm, PublicKey};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::testing::authenticator::{Authenticator, BE, BS, Twist, UP, UV};
use sha2::{Digest, Sha256};

use crate::person::{
    ORIGIN, confirm, enroll, failure, refused_registration, refused_registration_of, registration,
    registration_with, story,
};

#[test]
fn a_registered_key_is_kept_with_its_counter_model_flags_and_transports() {
    let mut story = story();
    let mut phone = Authenticator::platform(3);
    let id = enroll(&mut story, &mut phone);
    assert_eq!(story.audit_types(), ["mfa.factor.enrolled"]);
    assert!(story.state.ceremonies.is_empty());
    let kept = story.state.factor(id).unwrap().kind.webauthn().unwrap().clone();
    assert_eq!(kept.credential_id, phone.credentials[0].id);
    assert_eq!(kept.aaguid, phone.aaguid);
    assert_eq!(kept.transports, ["internal", "hybrid"]);
    assert_eq!(kept.attachment, Some(Attachment::Platform));
    assert_eq!(kept.resident, Some(true));
    assert!(kept.backup_eligible && kept.backed_up && kept.user_verified);
    let view = story.factors()[0].webauthn.clone().unwrap();
    assert_eq!(view.aaguid.to_string(), "08080808-0808-0808-0808-080808080808");
    assert!(view.backed_up && view.user_verified && view.backup_eligible);
    let mut key = Authenticator::usb(4);
    key.counter = Some(41);
    let id = enroll(&mut story, &mut key);
    let kept = story.state.factor(id).unwrap().kind.webauthn().unwrap();
    assert_eq!(kept.sign_count, 41);
    assert!(!kept.backup_eligible && !kept.backed_up && !kept.user_verified);
}

#[test]
fn keys_of_all_three_algorithms_register_and_sign() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let mut story = story();
        let mut key = Authenticator::usb(5);
        key.algorithm = algorithm;
        let id = enroll(&mut story, &mut key);
        let kept = story.state.factor(id).unwrap().kind.webauthn().unwrap();
        assert_eq!(kept.public_key.algorithm(), algorithm);
        crate::person::sign_in(&mut story, &mut key, id);
    }
}

#[test]
fn a_statement_that_a_key_makes_about_itself_holds_or_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let mut key = Authenticator::usb(6);
        key.algorithm = algorithm;
        let twist = Twist { self_attestation: true, ..Twist::default() };
        let mut story = story();
        let options = registration(&mut story);
        let response = key.create_with(&options, ORIGIN, &twist);
        assert!(matches!(story.ask(&confirm(response)), Reply::Factor { .. }), "{algorithm:?}");
        let forged = Value::Map(vec![
            (Value::Text("alg".to_owned()), Value::from(algorithm.cose())),
            (Value::Text("sig".to_owned()), Value::Bytes(vec![7; 64])),
        ]);
        let twist = Twist { attestation: Some(("packed", forged)), ..Twist::default() };
        let refused = refused_registration_of(&mut key, &twist, |_| {});
        assert_eq!(refused, CeremonyFailure::Attestation, "{algorithm:?}");
    }
}

#[test]
fn a_statement_in_a_form_that_nobody_knows_is_refused() {
    let empty = Value::Map(Vec::new());
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let mut key = Authenticator::usb(6);
        key.algorithm = algorithm;
        for format in ["packed", "tpm", "android-safetynet", "of-tomorrow"] {
            let twist = Twist { attestation: Some((format, empty.clone())), ..Twist::default() };
            let refused = refused_registration_of(&mut key, &twist, |_| {});
            assert_eq!(refused, CeremonyFailure::Attestation, "{algorithm:?} {format}");
        }
    }
}

#[test]
fn a_statement_where_there_is_said_to_be_none_is_refused() {
    let some = Value::Map(vec![(Value::Text("sig".to_owned()), Value::Bytes(vec![7; 64]))]);
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let mut key = Authenticator::usb(6);
        key.algorithm = algorithm;
        let twist = Twist { attestation: Some(("none", some.clone())), ..Twist::default() };
        let refused = refused_registration_of(&mut key, &twist, |_| {});
        assert_eq!(refused, CeremonyFailure::Attestation, "{algorithm:?}");
    }
}

#[test]
fn an_attestation_object_that_names_a_part_twice_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        for part in ["fmt", "attStmt", "authData"] {
            let mut key = Authenticator::usb(6);
            key.algorithm = algorithm;
            let refused = refused_registration_of(&mut key, &Twist::default(), |response| {
                let object: Value =
                    ciborium::from_reader(&response.attestation_object[..]).unwrap();
                let mut parts = object.into_map().unwrap();
                let same = |(name, _): &&(Value, Value)| name.as_text() == Some(part);
                let twice = parts.iter().find(same).unwrap().clone();
                parts.push(twice);
                response.attestation_object.clear();
                ciborium::into_writer(&Value::Map(parts), &mut response.attestation_object)
                    .unwrap();
            });
            assert_eq!(refused, CeremonyFailure::AuthenticatorData, "{algorithm:?} {part}");
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_judged_is_refused() {
    let mut key = Authenticator::usb(6);
    key.algorithm = Algorithm::EdDsa;
    let twist = Twist { self_attestation: true, certificate: true, ..Twist::default() };
    let refused = refused_registration_of(&mut key, &twist, |_| {});
    assert_eq!(refused, CeremonyFailure::Attestation);
}

#[test]
fn a_key_of_another_type_or_curve_than_its_algorithm_has_is_refused() {
    for (algorithm, kind, curve) in [
        (Algorithm::EdDsa, Some(2), None),
        // X25519 and Ed448.
        (Algorithm::EdDsa, None, Some(4)),
        (Algorithm::EdDsa, None, Some(7)),
        (Algorithm::Es256, Some(1), None),
        // P-384.
        (Algorithm::Es256, None, Some(2)),
    ] {
        let mut key = Authenticator::usb(6);
        key.algorithm = algorithm;
        let twist = Twist { cose_type: kind, cose_curve: curve, ..Twist::default() };
        let refused = refused_registration_of(&mut key, &twist, |_| {});
        assert_eq!(refused, CeremonyFailure::PublicKey, "{algorithm:?} {kind:?} {curve:?}");
    }
}

#[test]
fn another_challenge_is_refused() {
    let twist = Twist { challenge: Some(vec![9; 32]), ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::UnknownChallenge);
    let twist = Twist { challenge: Some(Vec::new()), ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::UnknownChallenge);
}

#[test]
fn another_type_of_client_data_is_refused() {
    let twist = Twist { kind: Some("webauthn.get"), ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::ClientDataType);
}

#[test]
fn an_origin_that_is_not_listed_is_refused_however_like_it_looks() {
    for origin in [
        "https://evil.example",
        "http://login.example.com",
        "https://login.example.com:444",
        "https://login.example.com.evil.example",
        "https://evil.login.example.com",
        "https://example.com",
        "https://LOGIN.example.com",
        "https://login.example.com/",
        "https://login.example.com:443",
        "null",
        "",
    ] {
        let twist = Twist { origin: Some(origin.to_owned()), ..Twist::default() };
        assert_eq!(refused_registration(&twist), CeremonyFailure::Origin, "{origin}");
    }
}

#[test]
fn a_frame_of_another_origin_is_refused() {
    let twist = Twist { cross_origin: true, ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::CrossOrigin);
    let twist = Twist { top_origin: Some("https://evil.example"), ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::CrossOrigin);
}

#[test]
fn another_relying_party_is_refused() {
    let twist = Twist { rp_id: Some("evil.example"), ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::RpIdHash);
}

#[test]
fn a_key_that_nobody_touched_is_refused() {
    let twist = Twist { flip: UP, ..Twist::default() };
    assert_eq!(refused_registration(&twist), CeremonyFailure::UserPresence);
}

#[test]
fn a_person_who_had_to_be_verified_and_was_not_is_refused() {
    let mut story = story();
    let wish = RegistrationWish {
        user_verification: Some(UserVerification::Required),
        ..RegistrationWish::default()
    };
    let options = registration_with(&mut story, wish);
    let response = Authenticator::usb(1).create(&options, ORIGIN);
    let refused = failure(story.refusal(&confirm(response)));
    assert_eq!(refused, CeremonyFailure::UserVerification);
    let options = registration_with(&mut story, wish);
    let response = Authenticator::platform(1).create(&options, ORIGIN);
    assert!(matches!(story.ask(&confirm(response)), Reply::Factor { .. }));
}

#[test]
fn backed_up_but_not_eligible_for_it_is_refused() {
    let mut key = Authenticator::usb(1);
    key.flags = UP | UV | BS;
    let refused = refused_registration_of(&mut key, &Twist::default(), |_| {});
    assert_eq!(refused, CeremonyFailure::BackupFlags);
    key.flags = UP | UV | BE;
    let mut story = story();
    enroll(&mut story, &mut key);
}

#[test]
fn a_key_of_an_algorithm_that_was_not_asked_for_is_refused() {
    // ES384, RS1, and one that does not exist.
    for number in [-35, -65_535, 7] {
        let twist = Twist { cose_algorithm: Some(number), ..Twist::default() };
        assert_eq!(refused_registration(&twist), CeremonyFailure::Algorithm, "{number}");
    }
    // Known, but not of this key.
    for number in [-257, -8] {
        let twist = Twist { cose_algorithm: Some(number), ..Twist::default() };
        assert_eq!(refused_registration(&twist), CeremonyFailure::PublicKey, "{number}");
    }
}

#[test]
fn ed25519_is_not_offered_where_an_attestation_is_asked_for() {
    let mut story = story();
    let wish =
        RegistrationWish { attestation: Some(Attestation::Direct), ..RegistrationWish::default() };
    let options = registration_with(&mut story, wish);
    assert_eq!(options.algorithms, [Algorithm::Es256, Algorithm::Rs256]);
    let mut key = Authenticator::usb(1);
    key.algorithm = Algorithm::EdDsa;
    let response = key.create(&options, ORIGIN);
    assert_eq!(failure(story.refusal(&confirm(response))), CeremonyFailure::Algorithm);
}

#[test]
fn an_ed25519_point_for_which_any_signature_holds_is_refused() {
    // The neutral element.
    let mut x = [0; 32];
    x[0] = 1;
    let weak = PublicKey::EdDsa { x };
    let mut key = Authenticator::usb(1);
    key.algorithm = Algorithm::EdDsa;
    let refused = refused_registration_of(&mut key, &Twist::default(), |response| {
        let object = &mut response.attestation_object;
        let place = object.len() - 32;
        object[place..].copy_from_slice(&x);
    });
    // The statement is "none", so that the point is all there is to be wrong.
    assert_eq!(refused, CeremonyFailure::PublicKey, "{weak:?}");
}

#[test]
fn an_id_that_is_not_the_raw_id_is_refused() {
    let mut key = Authenticator::platform(1);
    let refused = |alter: fn(&mut _)| {
        refused_registration_of(&mut Authenticator::platform(1), &Twist::default(), alter)
    };
    assert_eq!(refused(|one| one.id = "AQID".to_owned()), CeremonyFailure::IdMismatch);
    assert_eq!(refused(|one| one.raw_id = vec![1, 2, 3]), CeremonyFailure::IdMismatch);
    assert_eq!(
        refused(|one| {
            one.id = "AQID".to_owned();
            one.raw_id = vec![1, 2, 3];
        }),
        CeremonyFailure::IdMismatch,
        "what the authenticator signed has another id"
    );
    let refused = refused_registration_of(&mut key, &Twist::default(), |one| {
        one.credential_type = "password".to_owned();
    });
    assert_eq!(refused, CeremonyFailure::CredentialType);
}

#[test]
fn data_that_cannot_be_read_is_refused_and_never_a_panic() {
    let refused = |alter: fn(&mut _)| {
        refused_registration_of(&mut Authenticator::platform(1), &Twist::default(), alter)
    };
    assert_eq!(refused(|one| one.client_data_json.clear()), CeremonyFailure::ClientData);
    assert_eq!(refused(|one| one.client_data_json = b"[]".to_vec()), CeremonyFailure::ClientData);
    assert_eq!(refused(|one| one.attestation_object.clear()), CeremonyFailure::AuthenticatorData);
    assert_eq!(
        refused(|one| one.attestation_object.push(0)),
        CeremonyFailure::AuthenticatorData,
        "bytes are left over"
    );
    let trailing = Twist { trailing: vec![0], ..Twist::default() };
    assert_eq!(refused_registration(&trailing), CeremonyFailure::AuthenticatorData);
    // Cut anywhere.
    let mut key = Authenticator::platform(1);
    let mut story = story();
    let whole = key.create(&registration(&mut story), ORIGIN);
    for length in 0..whole.attestation_object.len() {
        let refused = refused_registration_of(&mut key, &Twist::default(), |one| {
            one.attestation_object.truncate(length);
        });
        assert_eq!(refused, CeremonyFailure::AuthenticatorData, "{length}");
    }
    // Nested as deeply as fits.
    let deep = refused_registration_of(&mut key, &Twist::default(), |one| {
        one.attestation_object = vec![0x81; 60_000];
    });
    assert_eq!(deep, CeremonyFailure::AuthenticatorData);
}

#[test]
fn no_flipped_bit_of_what_a_key_signs_about_itself_goes_unseen() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let twist = Twist { self_attestation: true, ..Twist::default() };
        let fresh = || {
            let mut key = Authenticator::usb(8);
            key.algorithm = algorithm;
            key
        };
        let whole = fresh().create_with(&registration(&mut story()), ORIGIN, &twist);
        let length = whole.attestation_object.len();
        // The signed part comes last: relying party, flags, counter, model, id, key.
        for byte in (length - 130..length).step_by(3) {
            let refused = refused_registration_of(&mut fresh(), &twist, |response| {
                response.attestation_object[byte] ^= 1;
            });
            assert_ne!(refused, CeremonyFailure::UnknownChallenge, "{byte}");
        }
    }
}

#[test]
fn the_browser_is_told_of_the_keys_that_there_are_and_the_same_one_twice_is_a_conflict() {
    let mut story = story();
    let mut key = Authenticator::usb(9);
    enroll(&mut story, &mut key);
    let options = registration(&mut story);
    assert_eq!(options.exclude.len(), 1);
    assert_eq!(options.exclude[0].id, key.credentials[0].id);
    assert_eq!(options.exclude[0].transports, ["usb"]);
    // An authenticator that does not care makes the very same credential.
    let mut again = Authenticator::usb(9);
    let response = again.create(&options, ORIGIN);
    assert_eq!(story.refusal(&confirm(response)), Refusal::FactorAlreadyEnrolled);
    assert_eq!(story.state.factors.len(), 1);
}

#[test]
fn what_is_wished_for_is_what_the_browser_is_told() {
    let mut story = story();
    let options = registration(&mut story);
    assert_eq!((options.rp_id.as_str(), options.rp_name.as_str()), ("example.com", "Acme"));
    assert_eq!(options.attestation, Attestation::None);
    assert_eq!(options.user_verification, UserVerification::Discouraged);
    assert_eq!(options.resident_key, ResidentKey::Discouraged);
    assert_eq!(options.timeout_ms, 300_000);
    assert_eq!(options.user_name, "user_1");
    assert_eq!(options.user_handle, story.state.pseudonym.unwrap().as_bytes());
    let wish = RegistrationWish {
        attestation: Some(Attestation::Enterprise),
        user_verification: Some(UserVerification::Discouraged),
        resident_key: Some(ResidentKey::Required),
        attachment: Some(Attachment::CrossPlatform),
    };
    let options = registration_with(&mut story, wish);
    assert_eq!(options.attestation, Attestation::Enterprise);
    assert_eq!(options.user_verification, UserVerification::Discouraged);
    assert_eq!(options.resident_key, ResidentKey::Required);
    assert_eq!(options.attachment, Some(Attachment::CrossPlatform));
}

/// What a maker's certificate says.
struct Maker {
    unit: &'static str,
    model: [u8; 16],
    authority: bool,
}

const GOOD_MAKER: Maker =
    Maker { unit: "Authenticator Attestation", model: [7; 16], authority: false };

/// Puts the maker's own statement, signed with ES256, into the answer of a key that made none.
fn attest(response: &mut RegistrationResponse, maker: &Maker, alter: impl FnOnce(&mut Vec<u8>)) {
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, SigningKey as _,
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationalUnitName, maker.unit);
    params.is_ca = match maker.authority {
        true => IsCa::Ca(BasicConstraints::Unconstrained),
        false => IsCa::ExplicitNoCa,
    };
    let oid = [1, 3, 6, 1, 4, 1, 45_724, 1, 1, 4];
    let model = [&[4, 16][..], &maker.model].concat();
    params.custom_extensions.push(CustomExtension::from_oid_content(&oid, model));
    let pair = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&pair).unwrap();
    let object: ciborium::Value = ciborium::from_reader(&response.attestation_object[..]).unwrap();
    let field = |name: &str| {
        let parts = object.as_map().unwrap().iter();
        parts.clone().find(|(key, _)| key.as_text() == Some(name)).unwrap().1.clone()
    };
    let mut signed = field("authData").into_bytes().unwrap();
    signed.extend(Sha256::digest(&response.client_data_json));
    alter(&mut signed);
    let text = |text: &str| ciborium::Value::from(text);
    let statement = ciborium::Value::Map(vec![
        (text("alg"), ciborium::Value::from(-7)),
        (text("sig"), ciborium::Value::Bytes(pair.sign(&signed).unwrap())),
        (text("x5c"), vec![ciborium::Value::Bytes(certificate.der().to_vec())].into()),
    ]);
    let whole = ciborium::Value::Map(vec![
        (text("fmt"), text("packed")),
        (text("attStmt"), statement),
        (text("authData"), field("authData")),
    ]);
    response.attestation_object.clear();
    ciborium::into_writer(&whole, &mut response.attestation_object).unwrap();
}

#[test]
fn an_ed25519_key_may_come_with_its_makers_es256_statement() {
    let fresh = || {
        let mut key = Authenticator::usb(1);
        key.algorithm = Algorithm::EdDsa;
        key
    };
    let mut story = story();
    let mut key = fresh();
    let mut response = key.create(&registration(&mut story), ORIGIN);
    attest(&mut response, &GOOD_MAKER, |_| {});
    let reply = story.ask(&confirm(response));
    assert!(matches!(reply, Reply::Factor { .. }), "{reply:?}");
    let id = story.state.factors[0].id;
    crate::person::sign_in(&mut story, &mut key, id);

    let refused = |maker: Maker, alter: fn(&mut Vec<u8>)| {
        refused_registration_of(&mut fresh(), &Twist::default(), |response| {
            attest(response, &maker, alter);
        })
    };
    let other_unit = Maker { unit: "Web Server", ..GOOD_MAKER };
    let other_model = Maker { model: [8; 16], ..GOOD_MAKER };
    let authority = Maker { authority: true, ..GOOD_MAKER };
    for maker in [other_unit, other_model, authority] {
        assert_eq!(refused(maker, |_| {}), CeremonyFailure::Attestation);
    }
    assert_eq!(refused(GOOD_MAKER, |signed| signed[0] ^= 1), CeremonyFailure::Attestation);
}
