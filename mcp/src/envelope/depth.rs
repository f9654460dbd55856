//! The nesting limit, checked by one flat scan over the bytes before any parser sees them.
//!
//! Our own parser does not recurse, but the upstream's may: ten thousand brackets are a known way to kill one.

/// How deep arrays and objects may nest. Deep tool schemas stay far below; `serde_json` itself stops at 128.
pub const MCP_JSON_DEPTH_MAX: usize = 128;

/// Whether brackets outside of strings nest deeper than the limit. Says nothing about validity.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MCP_JSON_DEPTH_MAX {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(inner) = bytes.next() {
                    match inner {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bracket_over_the_limit_is_too_deep() {
        assert!(is_too_deep("[".repeat(MCP_JSON_DEPTH_MAX + 1).as_bytes()));
        assert!(!is_too_deep("[".repeat(MCP_JSON_DEPTH_MAX).as_bytes()));
    }

    #[test]
    fn brackets_inside_strings_and_siblings_do_not_count() {
        let in_string = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(500), "{".repeat(500));
        assert!(!is_too_deep(in_string.as_bytes()));
        assert!(!is_too_deep("[]".repeat(500).as_bytes()));
    }
}
