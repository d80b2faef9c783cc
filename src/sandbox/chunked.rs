//! Bodies in `aws-chunked` encoding, in which some clients send signed chunks.

use std::borrow::Cow;

use http::HeaderMap;

use super::dispatch::lists;

/// Returns the body without its `aws-chunked` frames, when it has any.
pub(super) fn decode<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, &'static str> {
    if !lists(headers, "content-encoding", "aws-chunked") {
        return Ok(Cow::Borrowed(body));
    }
    let mut rest = body;
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let end = rest
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .ok_or("a chunk has no size\n")?;
        let size = std::str::from_utf8(&rest[..end])
            .ok()
            // A signature may follow the size.
            .and_then(|line| line.split(';').next())
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .ok_or("a chunk's size is not a number\n")?;
        if size == 0 {
            return Ok(Cow::Owned(whole));
        }
        rest = &rest[end + 2..];
        if rest.len() < size.saturating_add(2) {
            return Err("a chunk is cut off\n");
        }
        whole.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_off() {
        let mut headers = HeaderMap::new();
        let body =
            b"4;chunk-signature=00\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\nx-amz-checksum-crc32:0\r\n\r\n";
        assert_eq!(decode(&headers, body).unwrap().as_ref(), body);
        headers.insert("content-encoding", "aws-chunked".parse().unwrap());
        assert_eq!(decode(&headers, body).unwrap().as_ref(), b"{\"a\":1}");
        for broken in [
            &b"zz\r\n"[..],
            b"",
            b"9\r\nabc\r\n",
            b"ffffffffffffffff\r\nab\r\n",
        ] {
            assert!(decode(&headers, broken).is_err(), "{broken:?}");
        }
    }
}
