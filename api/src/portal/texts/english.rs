//! English. Short, friendly, never blaming; whatever went wrong comes with what to do.

use super::{Message, Texts};

const fn message(title: &'static str, text: &'static str) -> Message {
    Message { title, text }
}

/// A time to wait, as one says it.
fn wait(seconds: u64) -> String {
    let of = |count: u64, unit: &str| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    };
    match seconds {
        0..=90 => of(seconds, "second"),
        91..=5_400 => of(seconds.div_ceil(60), "minute"),
        _ => of(seconds.div_ceil(3_600), "hour"),
    }
}

fn wrong_code(remaining: u32) -> String {
    match remaining {
        0 => "That code isn’t right.".to_owned(),
        1 => "That code isn’t right. You have one more try.".to_owned(),
        _ => format!("That code isn’t right. You have {remaining} more tries."),
    }
}

/// An authenticator app's clock that is off.
fn clock_off(seconds_ahead: i32) -> String {
    let much = match (seconds_ahead.unsigned_abs() + 29) / 60 {
        0 | 1 => "about a minute".to_owned(),
        minutes => format!("about {minutes} minutes"),
    };
    let way = if seconds_ahead > 0 { "fast" } else { "slow" };
    format!(
        "Your phone’s clock is {much} {way}. Set its date and time to automatic, then enter the next \
         code."
    )
}

pub(super) const ENGLISH: Texts = Texts {
    lang: "en",
    skip: "Skip to content",
    brand: "Countersign",
    served_by: "Secured by Countersign",
    account: "Account",
    continue_: "Continue",
    back: "Back",
    cancel: "Cancel",
    back_to: |host| format!("Back to {host}"),
    open_title: "Almost there",
    open_lead: "Continue to confirm it’s you or to look after your sign-in methods.",
    leaving_title: "Taking you back",
    leaving_lead: "If nothing happens, use the button.",
    needs_script: "This step needs JavaScript, which is turned off in your browser.",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    day: |day, month, year| format!("{day} {month} {year}"),

    unknown: message(
        "This link doesn’t work",
        "It may be incomplete, or it belongs to another browser. Go back to where you came from and \
         start again.",
    ),
    no_session: message(
        "Nothing is open here",
        "What was open here is finished, or it was begun in another browser, or this browser keeps no \
         cookies. Go back to where you came from and start again.",
    ),
    used: message(
        "This link was opened before",
        "For your safety each link works once. Go back to where you came from and start again.",
    ),
    expired: message(
        "This took a little too long",
        "For your safety these pages close after a while. Go back and start again.",
    ),
    over: message("You’re finished here", "This page was completed. You can close it, or go back."),
    nothing_to_prove: message(
        "Add a sign-in method first",
        "Before this can be changed we need to make sure that it’s you, and there is no method yet \
         by which you could show it.",
    ),
    not_permitted: message(
        "That’s not available here",
        "This page wasn’t opened for that. Continue with what you came for.",
    ),
    forged: message(
        "Please try that again",
        "What was sent didn’t come from this page as it is now, so nothing was done. If you have these \
         pages open more than once, carry on in one of them.",
    ),
    garbled: message(
        "Please try that again",
        "What was sent couldn’t be read, so nothing was done.",
    ),
    no_such_page: message("There’s no page here", "The address may be mistyped."),
    fault: message(
        "Something went wrong",
        "It’s our fault, not yours, and nothing was changed. Please try again in a moment.",
    ),
    busy: message(
        "One moment, please",
        "This can’t be answered right now. Please try again in a few seconds.",
    ),
    not_possible: message(
        "That can’t be done now",
        "Something has changed meanwhile. Continue to see how things stand.",
    ),
    challenge_failed: message(
        "Too many wrong codes",
        "For your safety this sign-in has ended. Go back and sign in again.",
    ),
    challenge_expired: message(
        "This sign-in has timed out",
        "It waited for five minutes. Go back and sign in again.",
    ),

    app: "Authenticator app",
    phone: "Text message",
    email: "Email",
    key: "Passkey or security key",
    recovery_code: "Recovery code",
    app_about: "An app on your phone shows a new code every 30 seconds",
    phone_about: "We text you a code",
    email_about: "We email you a code",
    key_about: "Your fingerprint, face, screen lock, or a key that you plug in",
    recovery_code_about: "One of the codes that you kept for emergencies",

    ask_title: "Confirm it’s you",
    verify_title: "First, confirm it’s you",
    app_lead: |name| match name {
        Some(name) => format!("Enter the code that the authenticator app on “{name}” shows."),
        None => "Enter the code that your authenticator app shows.".to_owned(),
    },
    sent_lead: |destination| {
        format!(
            "Enter the 6-digit code that we sent to {destination}. It may take a moment to arrive."
        )
    },
    send_lead: |destination| format!("We’ll send a 6-digit code to {destination}."),
    key_lead: |name| match name {
        Some(name) => format!("Use “{name}”, or another passkey or security key of yours."),
        None => "Use your passkey or security key. Your browser will show you how.".to_owned(),
    },
    recovery_lead: "Enter one of the recovery codes that you kept. Each works once.",
    no_way: "None of your sign-in methods can be used on this page. Go back and ask for help there.",
    code_label: "Code",
    recovery_label: "Recovery code",
    recovery_hint: "For example 7K3M-9QTX-B2WD",
    verify_button: "Confirm",
    send_button: "Send code",
    send_again: "Send a new code",
    send_again_from: "You can have a new code sent from",
    send_again_in: "in",
    send_again_now: "You can have a new code sent now.",
    sent_status: "A code is on its way.",
    not_delivered_title: "No code could be delivered",
    not_delivered: |destination| {
        format!(
            "We couldn’t deliver a code to {destination}. Choose another way, or try once more."
        )
    },
    key_button: "Use passkey or security key",
    remember: |days| match days {
        1 => "Don’t ask again in this browser today".to_owned(),
        _ => format!("Don’t ask again in this browser for {days} days"),
    },
    other_way: "Try another way",
    ways_title: "Choose another way",
    locked_title: "Too many wrong codes",
    locked_until: "For your safety codes aren’t accepted until",
    locked_wait: |seconds| format!("That’s in {}.", wait(seconds)),
    locked_hard: "For your safety codes aren’t accepted any more. Please ask for help where you sign in.",
    try_again: "Try again",

    wrong_code,
    locked_for: |seconds| format!("Too many wrong codes. Try again in {}.", wait(seconds)),
    sent_too_often: |seconds| {
        format!("A code was sent already. You can have another one sent in {}.", wait(seconds))
    },
    clock_off,
    too_many_open: |seconds| {
        format!("Too many sign-ins are open for this account. Try again in {}.", wait(seconds))
    },
    app_ignores_settings: "Your app makes codes of another kind than this account needs. Please use \
                           another authenticator app.",
    secret_replaced: "This code is from an earlier setup. Remove that entry from your app, then scan \
                      the code on this page.",
    code_used: "This code was used already. Wait for the next one, or have a new one sent.",
    code_expired: "This code isn’t valid any more. Have a new one sent.",
    too_late: "This took too long. Go back and start again.",
    enrollment_over: "This took too long. Please start again.",
    have_it_already: "You have added this already.",
    have_too_many: "You have as many sign-in methods as possible. Remove one first.",
    key_changed: "This passkey has changed since you added it, so it can’t be used any more. Choose \
                  another way, then add it again.",
    key_changed_alone: "This passkey has changed since you added it, so it can’t be used any more. Go \
                        back and ask for help there.",
    key_refused: "That didn’t work with this passkey or security key. Please try again.",
    key_not_allowed: "This kind of passkey or security key can’t be used here. Try another one.",
    key_cancelled: "Nothing was chosen, or it took too long. You can try again.",
    key_broken: "Your browser or password manager gave an answer that can’t be used. Try another \
                 passkey or security key, or choose another way.",
    key_copied: "This key may have been copied, so it isn’t accepted. Choose another way, and remove it \
                 in your security settings.",
    key_copied_alone: "This key may have been copied, so it isn’t accepted. Go back and ask for help \
                       there.",
    key_known: "This passkey or security key was added already.",
    key_unsupported: "This browser can’t use passkeys or security keys. Choose another way.",
    not_allowed: "This can’t be used for your account. Choose another way.",
    country_not_allowed: "We can’t send text messages to this country. Choose another way.",
    email_not_verified: "Your email address isn’t verified yet. Choose another way.",
    cannot_send: "We can’t send codes this way right now. Choose another way.",
    no_code: "That isn’t a code. Enter its digits as you see them.",
    no_recovery_code: "That isn’t a recovery code. It has 12 letters and digits.",
    went_wrong: "That didn’t work. Please check it and try again.",
    wrong_number: "Enter the number with its country code, such as +1 415 555 0123.",
    unsuitable_number: "We can’t send codes to this kind of number. Use a mobile number.",
    number_shut_out: "We can’t send codes to this kind of number any more. Choose another way.",
    number_shut_out_alone: "We can’t send codes to this kind of number any more. Go back and ask for \
                            help there.",
    wrong_name: "A name has at most 100 characters.",

    choose_title: "Add a second step",
    choose_lead: "It keeps your account yours, even if somebody learns your password. How would you \
                  like to confirm it’s you?",
    add_title: "Add a sign-in method",
    add_lead: "A second method helps when the first one is out of reach.",
    nothing_offered: "There’s nothing to add right now.",
    app_title: "Set up your authenticator app",
    app_scan: "Scan this with your app",
    app_qr_code: "QR code for your authenticator app",
    app_open: "Open in an app on this device",
    app_by_hand: "Can’t scan it?",
    app_secret: "Enter this key in your app instead:",
    app_code: "Enter the code that it shows",
    confirm_button: "Confirm",
    number_title: "Add your phone number",
    number_lead: "We’ll text a code to it, now and when you sign in.",
    number_label: "Phone number",
    number_hint: "With country code, such as +1 415 555 0123",
    number_button: "Send code",
    check_phone_title: "Check your phone",
    check_email_title: "Check your email",
    another_number: "Use another number",
    another_method: "Choose another way",
    key_title: "Add a passkey or security key",
    key_add_lead: "Your browser will ask for your fingerprint, face or screen lock, or for a security \
                   key. Nothing of that is sent to us.",
    key_name_label: "Name (optional)",
    key_name_hint: "So that you recognise it later, such as “Blue key”",
    key_create_button: "Continue",
    enrolled_title: "You’re all set",
    enrolled_lead: "We’ll ask for it when you sign in.",
    enrolled_codes_lead: "One more thing: recovery codes let you in if you ever lose it.",
    show_codes: "Get recovery codes",
    skip_codes: "Not now",
    add_another: "Add another method",

    offer_title: "Recovery codes",
    offer_lead: "Each of these codes lets you in once if you can’t use your other sign-in methods. \
                 They are shown one time only.",
    replaces: |remaining| match remaining {
        1 => "The one that you have left will stop working.".to_owned(),
        _ => format!("The {remaining} that you have left will stop working."),
    },
    make_codes: "Show my new codes",
    codes_title: "Save your recovery codes",
    codes_lead: "Each works once. Keep them where you’ll find them without your phone: they won’t be \
                 shown again.",
    copy: "Copy",
    copied: "Copied",
    download: "Download",
    print: "Print",
    codes_saved: "I have saved these codes",
    codes_file: |brand| format!("Recovery codes for {brand}. Each works once."),

    manage_title: "Security settings",
    manage_lead: "How you confirm it’s you when you sign in.",
    methods: "Sign-in methods",
    no_methods: "You haven’t added any yet.",
    add_method: "Add a method",
    primary: "Asked first",
    last_used: "Last used",
    never_used: "Not used yet",
    unusable_key: "It can’t be used any more. Add it again, then remove this one.",
    unusable: "It can’t be used for your account any more.",
    added: "Added",
    recovery_codes: "Recovery codes",
    codes_left: |remaining, total| match total {
        0 => "You have none. They let you in if you lose everything else.".to_owned(),
        _ => format!("{remaining} of {total} left"),
    },
    new_codes: "Make new codes",
    get_codes: "Get codes",
    codes_run_out: "You’re running out. Make new ones soon.",
    devices: "Trusted browsers",
    devices_lead: "In these browsers we don’t ask for a second step.",
    devices_count: |count| match count {
        1 => "1 browser doesn’t ask for a second step".to_owned(),
        _ => format!("{count} browsers don’t ask for a second step"),
    },
    review: "Review",
    some_browser: "A browser",
    device_used: "Last used",
    device_until: "trusted until",
    forget: "Forget",
    forget_all: "Forget all",
    done: "Done",
    name_label: "Name",
    name_hint: "So that you recognise it",
    rename: "Save name",
    make_primary: "Ask for this first",
    make_primary_lead: "When you sign in, we’ll ask for this before the others.",
    remove_title: "Remove it",
    remove_lead: "You won’t be able to sign in with it any more.",
    remove_last_lead: "It’s your only method. Without one, your password alone protects your account.",
    remove: "Remove",
    done_added: "Your new sign-in method is ready.",
    done_removed: "The sign-in method was removed.",
    done_renamed: "The name was saved.",
    done_primary: "We’ll ask for this one first.",
    done_codes: "Your new recovery codes are ready to use.",
    done_forgotten: "Done. We’ll ask for a second step there again.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_said_as_one_says_it() {
        for (seconds, words) in [
            (1, "1 second"),
            (30, "30 seconds"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (3_600, "60 minutes"),
            (7_200, "2 hours"),
        ] {
            assert_eq!(wait(seconds), words);
        }
    }

    #[test]
    fn a_wrong_code_says_how_many_tries_are_left() {
        assert!(wrong_code(4).contains("4 more tries"));
        assert!(wrong_code(1).contains("one more try"));
        assert!(!wrong_code(0).contains('0'));
    }
}
