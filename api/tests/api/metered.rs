//! What is counted of each request, and under which labels.

use std::collections::BTreeSet;
use std::sync::Mutex;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};

use crate::house::{House, KEY};

/// Remembers which series were touched.
#[derive(Default)]
struct Seen(Mutex<BTreeSet<String>>);

impl Seen {
    fn note(&self, key: &Key) {
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        let series = format!("{}{{{}}}", key.name(), labels.collect::<Vec<_>>().join(","));
        self.0.lock().unwrap().insert(series);
    }
}

impl Recorder for Seen {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

#[test]
fn requests_are_counted_by_route_and_never_by_what_a_caller_can_invent() {
    let seen = Seen::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_local_recorder(&seen, || {
        runtime.block_on(async {
            let house = House::new();
            for user in ["ann", "bob"] {
                house.get(&format!("/v1/users/{user}")).await;
                house.get(&format!("/v1/invented/{user}")).await;
            }
            house.knock("INVENTED", "/v1/users/ann").key(KEY).send().await;
        });
    });
    let series = seen.0.into_inner().unwrap();
    let expected = [
        "countersign_http_request_duration_seconds{route=/v1/users/{userId},method=GET}",
        "countersign_http_request_duration_seconds{route=/v1/users/{userId},method=OTHER}",
        "countersign_http_request_duration_seconds{route=unmatched,method=GET}",
        "countersign_http_requests_total{route=/v1/users/{userId},method=GET,status=404}",
        "countersign_http_requests_total{route=/v1/users/{userId},method=OTHER,status=405}",
        "countersign_http_requests_total{route=unmatched,method=GET,status=404}",
    ];
    assert_eq!(series.into_iter().collect::<Vec<_>>(), expected);
}
