//! Whatever the pages say, one language a file. A browser says which ones its person reads (RFC 9110
//! section 12.5.4); another language is one more file and one more line in [`LANGUAGES`].

mod english;

use axum::http::{HeaderMap, header};

use self::english::ENGLISH;
use crate::pages::Frame;

/// All languages, the one for everybody else first.
const LANGUAGES: [&Texts; 1] = [&ENGLISH];

/// The language that a browser wants most of those that there are.
pub(super) fn wanted(headers: &HeaderMap) -> &'static Texts {
    let sent = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut ranges: Vec<(f32, &str)> = sent
        .unwrap_or_default()
        .split(',')
        .map(|range| {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            (weight.trim().parse().unwrap_or(0.0), tag.trim())
        })
        .collect();
    // Stable: of two that are wanted alike, the first.
    ranges.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let known = |tag: &str| {
        let primary = tag.split('-').next().unwrap_or_default();
        LANGUAGES.into_iter().find(|texts| texts.lang.eq_ignore_ascii_case(primary))
    };
    ranges.into_iter().find_map(|(_, tag)| known(tag)).unwrap_or(LANGUAGES[0])
}

/// A heading and a paragraph.
#[derive(Clone, Copy)]
pub(super) struct Message {
    /// The heading.
    pub(super) title: &'static str,
    /// The paragraph.
    pub(super) text: &'static str,
}

macro_rules! texts {
    ($($field:ident: $type:ty,)*) => {
        /// What pages say in one language.
        pub(super) struct Texts {
            /// The language (BCP 47).
            pub(super) lang: &'static str,
            $(pub(super) $field: $type,)*
        }
    };
}

texts! {
    // Around every page.
    skip: &'static str,
    brand: &'static str,
    served_by: &'static str,
    account: &'static str,
    continue_: &'static str,
    back: &'static str,
    cancel: &'static str,
    back_to: fn(&str) -> String,
    needs_script: &'static str,
    open_title: &'static str,
    open_lead: &'static str,
    leaving_title: &'static str,
    leaving_lead: &'static str,
    months: [&'static str; 12],
    day: fn(u8, &str, i32) -> String,

    // Instead of a page.
    unknown: Message,
    no_session: Message,
    used: Message,
    expired: Message,
    over: Message,
    nothing_to_prove: Message,
    not_permitted: Message,
    forged: Message,
    garbled: Message,
    no_such_page: Message,
    fault: Message,
    busy: Message,
    not_possible: Message,
    challenge_failed: Message,
    challenge_expired: Message,

    // What factors are called, and what is said of them where one is chosen.
    app: &'static str,
    phone: &'static str,
    email: &'static str,
    key: &'static str,
    recovery_code: &'static str,
    app_about: &'static str,
    phone_about: &'static str,
    email_about: &'static str,
    key_about: &'static str,
    recovery_code_about: &'static str,

    // Asking for one.
    ask_title: &'static str,
    verify_title: &'static str,
    app_lead: fn(Option<&str>) -> String,
    sent_lead: fn(&str) -> String,
    send_lead: fn(&str) -> String,
    key_lead: fn(Option<&str>) -> String,
    recovery_lead: &'static str,
    no_way: &'static str,
    code_label: &'static str,
    recovery_label: &'static str,
    recovery_hint: &'static str,
    verify_button: &'static str,
    send_button: &'static str,
    send_again: &'static str,
    send_again_from: &'static str,
    send_again_in: &'static str,
    send_again_now: &'static str,
    sent_status: &'static str,
    not_delivered: fn(&str) -> String,
    not_delivered_title: &'static str,
    key_button: &'static str,
    remember: fn(u32) -> String,
    other_way: &'static str,
    ways_title: &'static str,
    locked_title: &'static str,
    locked_until: &'static str,
    locked_wait: fn(u64) -> String,
    locked_hard: &'static str,
    try_again: &'static str,

    // What is wrong.
    wrong_code: fn(u32) -> String,
    locked_for: fn(u64) -> String,
    sent_too_often: fn(u64) -> String,
    code_used: &'static str,
    clock_off: fn(i32) -> String,
    too_many_open: fn(u64) -> String,
    app_ignores_settings: &'static str,
    secret_replaced: &'static str,
    code_expired: &'static str,
    too_late: &'static str,
    enrollment_over: &'static str,
    have_it_already: &'static str,
    have_too_many: &'static str,
    key_refused: &'static str,
    key_changed: &'static str,
    key_changed_alone: &'static str,
    key_not_allowed: &'static str,
    key_cancelled: &'static str,
    key_broken: &'static str,
    key_copied: &'static str,
    key_copied_alone: &'static str,
    key_known: &'static str,
    key_unsupported: &'static str,
    not_allowed: &'static str,
    country_not_allowed: &'static str,
    email_not_verified: &'static str,
    cannot_send: &'static str,
    no_code: &'static str,
    no_recovery_code: &'static str,
    went_wrong: &'static str,
    wrong_number: &'static str,
    unsuitable_number: &'static str,
    number_shut_out: &'static str,
    number_shut_out_alone: &'static str,
    wrong_name: &'static str,

    // Enrolling.
    choose_title: &'static str,
    choose_lead: &'static str,
    add_title: &'static str,
    add_lead: &'static str,
    nothing_offered: &'static str,
    app_title: &'static str,
    app_scan: &'static str,
    app_qr_code: &'static str,
    app_open: &'static str,
    app_by_hand: &'static str,
    app_secret: &'static str,
    app_code: &'static str,
    confirm_button: &'static str,
    number_title: &'static str,
    number_lead: &'static str,
    number_label: &'static str,
    number_hint: &'static str,
    number_button: &'static str,
    check_phone_title: &'static str,
    check_email_title: &'static str,
    another_number: &'static str,
    another_method: &'static str,
    key_title: &'static str,
    key_add_lead: &'static str,
    key_name_label: &'static str,
    key_name_hint: &'static str,
    key_create_button: &'static str,
    enrolled_title: &'static str,
    enrolled_lead: &'static str,
    enrolled_codes_lead: &'static str,
    show_codes: &'static str,
    skip_codes: &'static str,
    add_another: &'static str,

    // Recovery codes.
    offer_title: &'static str,
    offer_lead: &'static str,
    replaces: fn(u32) -> String,
    make_codes: &'static str,
    codes_title: &'static str,
    codes_lead: &'static str,
    copy: &'static str,
    copied: &'static str,
    download: &'static str,
    print: &'static str,
    codes_saved: &'static str,
    codes_file: fn(&str) -> String,

    // Looking after what there is.
    manage_title: &'static str,
    manage_lead: &'static str,
    methods: &'static str,
    no_methods: &'static str,
    add_method: &'static str,
    primary: &'static str,
    last_used: &'static str,
    never_used: &'static str,
    unusable_key: &'static str,
    unusable: &'static str,
    added: &'static str,
    recovery_codes: &'static str,
    codes_left: fn(u32, u32) -> String,
    new_codes: &'static str,
    get_codes: &'static str,
    codes_run_out: &'static str,
    devices: &'static str,
    devices_lead: &'static str,
    devices_count: fn(usize) -> String,
    review: &'static str,
    some_browser: &'static str,
    device_used: &'static str,
    device_until: &'static str,
    forget: &'static str,
    forget_all: &'static str,
    done: &'static str,
    name_label: &'static str,
    name_hint: &'static str,
    rename: &'static str,
    make_primary: &'static str,
    make_primary_lead: &'static str,
    remove_title: &'static str,
    remove_lead: &'static str,
    remove_last_lead: &'static str,
    remove: &'static str,
    done_added: &'static str,
    done_removed: &'static str,
    done_renamed: &'static str,
    done_primary: &'static str,
    done_codes: &'static str,
    done_forgotten: &'static str,
}

impl Texts {
    /// The frame of a page in this language.
    pub(super) const fn frame(&self) -> Frame {
        Frame { lang: self.lang, skip: self.skip }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn whoever_reads_no_language_that_there_is_gets_the_first_one() {
        for sent in ["", "de", "fr;q=0.9, en;q=0.8", "en-GB,en;q=0.9", ";;;", "*", "en;q=x"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(sent));
            assert_eq!(wanted(&headers).lang, "en", "{sent}");
        }
        assert_eq!(wanted(&HeaderMap::new()).lang, "en");
    }
}
