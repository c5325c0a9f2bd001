//! What a decision costs: the pure part of a login, without log, network and disk.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a bench may stop")]

use std::hint::black_box;

use countersign_core::codec;
use countersign_core::factor::totp::{Parameters, check};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use criterion::{Criterion, criterion_group, criterion_main};

fn totp(c: &mut Criterion) {
    let parameters = Parameters::default();
    let secret = Secret::new(vec![7; 20]);
    let now = Timestamp::from_millis(1_800_000_000_000);
    let code = parameters.code(&secret, parameters.step_at(now));
    c.bench_function("check a TOTP code", |b| {
        b.iter(|| check(&parameters, &secret, None, black_box(code.expose_str()), now));
    });
}

fn row(c: &mut Criterion) {
    let state = UserState::default();
    let bytes = codec::encode(&state).unwrap();
    c.bench_function("encode a user", |b| b.iter(|| codec::encode(black_box(&state))));
    c.bench_function("decode a user", |b| {
        b.iter(|| codec::decode::<UserState>(black_box(&bytes)));
    });
}

criterion_group!(benches, totp, row);
criterion_main!(benches);
