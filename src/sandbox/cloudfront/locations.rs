//! The country codes that a geo restriction may name: ISO 3166-1 alpha-2, as assigned.

/// Every assigned code, upper case, in order, two letters each without a separator.
const CODES: &str = "\
    ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCN\
    COCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHM\
    HNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMK\
    MLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURW\
    SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI\
    VNVUWFWSYEYTZAZMZW";

/// Says whether `code` is an assigned code in upper case, as CloudFront spells them.
pub(crate) fn is_location(code: &str) -> bool {
    code.len() == 2
        && CODES
            .as_bytes()
            .chunks_exact(2)
            .any(|known| known == code.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_every_code_once_and_in_order() {
        let codes: Vec<_> = CODES.as_bytes().chunks(2).collect();
        assert_eq!(codes.len(), 249, "as many as ISO 3166-1 has assigned");
        assert!(codes.is_sorted_by(|one, other| one < other));
        assert!(CODES.bytes().all(|byte| byte.is_ascii_uppercase()));
    }

    #[test]
    fn knows_codes_from_what_looks_like_them() {
        for code in ["AT", "DE", "GB", "US", "AX", "ZW", "TW"] {
            assert!(is_location(code), "{code}");
        }
        // XK is in use and not assigned; UK is reserved; DA stands across two codes of the list.
        for code in [
            "", "A", "at", "At", "UK", "XK", "EU", "DA", "AUT", "ÄT", "A ",
        ] {
            assert!(!is_location(code), "{code}");
        }
    }
}
