//! Requests as lines of logs.

use crate::fields::{Field, Log, write_value};
use crate::request::Request;

/// A W3C line's head: two lines.
pub fn write_head(out: &mut Vec<u8>, fields: &[Field]) {
    out.extend_from_slice(b"#Version: 1.0\n#Fields:");
    for field in fields {
        out.push(b' ');
        out.extend_from_slice(field.name().as_bytes());
    }
    out.push(b'\n');
}

/// Appends a request as a line: values in the fields' order with `delimiter` between.
pub fn write_line(
    out: &mut Vec<u8>,
    fields: &[Field],
    delimiter: &str,
    request: &Request<'_>,
    log: Log,
) {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(delimiter.as_bytes());
        }
        write_value(out, *field, request, log);
    }
    out.push(b'\n');
}

/// Appends a request as a JSON object on a line of its own, as standard logging v2 has it: all values
/// are texts.
pub fn write_json(out: &mut Vec<u8>, fields: &[Field], request: &Request<'_>) {
    for (place, field) in fields.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"" } else { b",\"" });
        out.extend_from_slice(field.name().as_bytes());
        out.extend_from_slice(b"\":\"");
        // Percent-encoding leaves nothing that JSON would have to escape.
        write_value(out, *field, request, Log::Standard);
        out.push(b'"');
    }
    out.extend_from_slice(b"}\n");
}
