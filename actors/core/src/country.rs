//! Codes of countries (ISO 3166-1 alpha-2).

/// Every code that is assigned, and `XK`, which is used for Kosovo although it is not.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// What is kept in place of a text that is no country's code: a code that never will be one.
pub const NONE: &str = "ZZ";

/// Whether a text is the code of a country. What proxies and databases write where they know none
/// (`T1` for Tor, `XX`, `EU`, `ZZ` and others that ISO 3166 leaves to its users) is not.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && CODES.split_ascii_whitespace().any(|code| code == text)
}

/// The code that a text means, in any case and with any space around it; [`NONE`] for what is no
/// country. `None` for nothing.
pub fn read(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    if code.is_empty() {
        return None;
    }
    Some(if is_country(&code) { code } else { NONE.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assigned_code_is_a_country_and_nothing_else() {
        assert_eq!(CODES.split_ascii_whitespace().count(), 249 + 1);
        for code in ["US", "GB", "XK", "JE", "AQ"] {
            assert!(is_country(code), "{code}");
        }
        for code in
            ["T1", "XX", "EU", "ZZ", "AA", "QM", "XA", "AP", "A1", "UK", "us", "", "U", "USA"]
        {
            assert!(!is_country(code), "{code}");
        }
    }

    #[test]
    fn a_code_is_read_as_it_is_written() {
        assert_eq!(read(" us ").as_deref(), Some("US"));
        assert_eq!(read("T1").as_deref(), Some(NONE));
        assert_eq!(read("Deutschland").as_deref(), Some(NONE));
        assert_eq!(read("  "), None);
    }
}
