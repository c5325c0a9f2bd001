//! A tenant's own words: `{{code}}`, `{{issuer}}` and `{{minutes}}` are replaced, nothing else
//! happens. They are no program, so a tenant can reach nothing by them.

use std::fmt::Write;

/// What is put in.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) code: &'a str,
    pub(super) issuer: &'a str,
    pub(super) minutes: i64,
}

impl Values<'_> {
    fn of(&self, name: &str) -> Option<String> {
        match name.trim() {
            "code" => Some(self.code.to_owned()),
            "issuer" => Some(self.issuer.to_owned()),
            "minutes" => Some(self.minutes.to_string()),
            _ => None,
        }
    }
}

/// The words with what they name put in.
pub(super) fn fill(words: &str, values: &Values<'_>) -> String {
    replaced(words, values, |value, out| out.push_str(value))
}

/// The same for HTML: what is put in cannot be markup, within text or a quoted attribute.
pub(super) fn fill_html(words: &str, values: &Values<'_>) -> String {
    replaced(words, values, |value, out| {
        for letter in value.chars() {
            match letter {
                '<' | '>' | '&' | '"' | '\'' | '`' => {
                    // Writing to a string does not fail.
                    let _ = write!(out, "&#{};", u32::from(letter));
                }
                letter => out.push(letter),
            }
        }
    })
}

/// Once through the words, so that what was put in is never looked at again.
fn replaced(words: &str, values: &Values<'_>, put: impl Fn(&str, &mut String)) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some((before, behind)) = rest.split_once("{{") {
        out.push_str(before);
        let named =
            behind.split_once("}}").and_then(|(name, after)| Some((values.of(name)?, after)));
        match named {
            Some((value, after)) => {
                put(&value, &mut out);
                rest = after;
            }
            None => {
                out.push_str("{{");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values { code: "123456", issuer: "A <b>&'\"` {{code}}", minutes: 5 };

    #[test]
    fn known_names_are_replaced_and_others_stay() {
        let values = Values { issuer: "Acme", ..VALUES };
        for (words, expected) in [
            ("{{code}}{{ issuer }} {{minutes}}.", "123456Acme 5."),
            ("{{secret}} {{code", "{{secret}} {{code"),
            ("{{{code}}}", "{{{code}}}"),
            ("{{}} }} {{ {{code}}", "{{}} }} {{ 123456"),
            ("", ""),
        ] {
            assert_eq!(fill(words, &values), expected, "{words}");
        }
    }

    #[test]
    fn what_was_put_in_is_no_placeholder() {
        assert_eq!(fill("{{issuer}}", &VALUES), VALUES.issuer);
    }

    #[test]
    fn what_was_put_in_is_no_markup() {
        let expected = "<i title=\"A &#60;b&#62;&#38;&#39;&#34;&#96; {{code}}\">123456</i>";
        assert_eq!(fill_html("<i title=\"{{issuer}}\">{{code}}</i>", &VALUES), expected);
    }
}
