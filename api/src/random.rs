//! Random text and numbers where no use case draws them: span ids, request ids, tokens of the bootstrap, waits that should differ.

/// So many random bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    // Without randomness ids repeat, which hurts traces only; secrets are drawn by the entropy port, which insists.
    let _ = aws_lc_rs::rand::fill(&mut buffer);
    crate::hex::hex(&buffer)
}

/// Somewhere from 0 to 1, so that not everybody does the same at the same time.
pub(crate) fn fraction() -> f64 {
    let mut buffer = [0_u8; 4];
    let _ = aws_lc_rs::rand::fill(&mut buffer); // without randomness it is 0
    f64::from(u32::from_le_bytes(buffer)) / f64::from(u32::MAX)
}
