//! Numbers in base62, at a fixed width: text that one double click selects whole.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends the big-endian number as exactly `width_chars` characters, padded with zeros in front. The width is the caller's to choose
/// so that the number fits.
pub(super) fn push(text: &mut String, number: &[u8], width_chars: usize) {
    let mut rest = Zeroizing::new(number.to_vec());
    let mut digits = Zeroizing::new(vec![b'0'; width_chars]);
    for digit in digits.iter_mut().rev() {
        let remainder = divide(&mut rest);
        *digit = ALPHABET.get(usize::from(remainder)).copied().unwrap_or(b'0');
    }
    text.extend(digits.iter().copied().map(char::from));
}

/// Reads a number; none for other characters and for one that is too large.
pub(super) fn read(text: &str) -> Option<u128> {
    text.bytes().try_fold(0_u128, |number, byte| number.checked_mul(62)?.checked_add(value(byte)?))
}

/// Divides the number by 62 in place and answers the remainder: schoolbook long division, a byte at a time.
fn divide(number: &mut [u8]) -> u8 {
    let mut remainder = 0_u16;
    for byte in number {
        let dividend = (remainder << 8) | u16::from(*byte);
        *byte = u8::try_from(dividend / 62).unwrap_or(u8::MAX); // below 256, because the remainder before is below 62
        remainder = dividend % 62;
    }
    u8::try_from(remainder).unwrap_or(0)
}

fn value(byte: u8) -> Option<u128> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(u128::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(number: &[u8], width_chars: usize) -> String {
        let mut text = String::new();
        push(&mut text, number, width_chars);
        text
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        assert_eq!(read("a_b"), None);
        assert_eq!(read("é"), None);
        assert_eq!(read(&"z".repeat(22)), None);
    }

    #[test]
    fn numbers_have_a_fixed_width_and_are_read_back() {
        assert_eq!(encoded(&[0; 16], 22), "0".repeat(22));
        assert_eq!(encoded(&[61], 2), "0z");
        assert_eq!(encoded(&[62], 2), "10");
        for number in [0, 1, 61, 62, 3843, u128::from(u64::MAX), u128::MAX] {
            assert_eq!(read(&encoded(&number.to_be_bytes(), 22)), Some(number));
        }
    }

    #[test]
    fn the_widths_in_use_hold_their_largest_number() {
        assert_eq!(encoded(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        assert_ne!(encoded(&[u8::MAX; 32], 43), encoded(&[u8::MAX; 32], 44)[..43]);
        assert!(encoded(&[u8::MAX; 32], 44).starts_with('0'));
    }
}
