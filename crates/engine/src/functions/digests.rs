//! Bytes, their encodings and digests. <https://trino.io/docs/current/functions/binary.html>

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use super::scalar::Takes::{Binary, Text};
use super::scalar::{Call, Parameters, Scalar, binary, text};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const BYTES: &[Parameters] = &[&[Binary]];
    const TEXT: &[Parameters] = &[&[Text]];
    vec![
        Scalar::new("to_utf8", TEXT, binary, to_utf8),
        Scalar::new("from_utf8", BYTES, text, from_utf8),
        Scalar::new("to_hex", BYTES, text, to_hex),
        Scalar::new("from_hex", TEXT, binary, from_hex),
        Scalar::new("to_base64", BYTES, text, to_base64),
        Scalar::new("from_base64", TEXT, binary, from_base64),
        Scalar::new("md5", BYTES, binary, |call| {
            digest(call, |bytes| Md5::digest(bytes).to_vec())
        }),
        Scalar::new("sha256", BYTES, binary, |call| {
            digest(call, |bytes| Sha256::digest(bytes).to_vec())
        }),
        Scalar::new("sha512", BYTES, binary, |call| {
            digest(call, |bytes| Sha512::digest(bytes).to_vec())
        }),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

fn to_utf8(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_bytes(|row| Ok(texts.get(row)))
}

fn from_utf8(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.each_text(|row| Ok(bytes.get(row).map(String::from_utf8_lossy)))
}

fn digest(call: &Call<'_>, digest: fn(&[u8]) -> Vec<u8>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.each_bytes(|row| Ok(bytes.get(row).map(digest)))
}

/// Capital letters, as Trino has them.
fn to_hex(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.each_text(|row| {
        Ok(bytes.get(row).map(|bytes| {
            let digit = |digit: u8| char::from(b"0123456789ABCDEF"[usize::from(digit)]);
            bytes
                .iter()
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
                .collect::<String>()
        }))
    })
}

fn from_hex(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_bytes(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let digits = text
            .chars()
            .map(|digit| {
                digit
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok())
            })
            .collect::<Option<Vec<u8>>>()
            .filter(|digits| digits.len().is_multiple_of(2))
            .ok_or_else(|| exec_datafusion_err!("from_hex takes pairs of hexadecimal digits"))?;
        Ok(Some(
            digits
                .chunks(2)
                .map(|pair| (pair[0] << 4) | pair[1])
                .collect::<Vec<u8>>(),
        ))
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.each_text(|row| {
        Ok(bytes.get(row).map(|bytes| {
            let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
            for chunk in bytes.chunks(3) {
                let byte = |place: usize| usize::from(chunk.get(place).copied().unwrap_or(0));
                let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
                for place in 0..4 {
                    out.push(if place <= chunk.len() {
                        char::from(ALPHABET[(bits >> (18 - 6 * place)) & 63])
                    } else {
                        '='
                    });
                }
            }
            out
        }))
    })
}

fn from_base64(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_bytes(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let mut out = Vec::with_capacity(text.len() / 4 * 3);
        let (mut bits, mut count) = (0_usize, 0_u32);
        for digit in text.trim_end_matches('=').bytes() {
            let Some(value) = ALPHABET.iter().position(|other| *other == digit) else {
                return exec_err!("from_base64 takes text of base 64");
            };
            bits = (bits << 6) | value;
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push(u8::try_from((bits >> count) & 255).unwrap_or(0));
            }
        }
        Ok(Some(out))
    })
}
