//! Random text where no use case draws it: span ids, request ids, tokens of the bootstrap.

/// So many random bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    // Without randomness ids repeat, which hurts traces only; secrets are drawn by the entropy port, which insists.
    let _ = aws_lc_rs::rand::fill(&mut buffer);
    crate::hex::hex(&buffer)
}
