//! Addresses inside manifests, resolved against the manifest's own (RFC 3986, section 5).

/// What `reference` means in a manifest at `base`; none unless both are of `http` or `https`.
///
/// The query of `base` is left behind, as players leave it.
pub(crate) fn resolve(base: &str, reference: &str) -> Option<String> {
    let base: http::Uri = base.parse().ok()?;
    let scheme = base.scheme_str().filter(|scheme| is_web(scheme))?;
    let authority = base.authority()?;
    let reference = reference.trim();
    if let Some((found, _)) = reference.split_once("://") {
        return is_web(found).then(|| reference.to_owned());
    }
    if let Some(rest) = reference.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    // Any other scheme (`data:`, `skd:`) is nothing to fetch.
    let path_end = reference.find(['/', '?', '#']).unwrap_or(reference.len());
    if reference[..path_end].contains(':') {
        return None;
    }
    let reference = reference.split('#').next().unwrap_or_default();
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let joined = if path.is_empty() {
        base.path().to_owned()
    } else if path.starts_with('/') {
        path.to_owned()
    } else {
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{folder}/{path}")
    };
    let mut url = format!("{scheme}://{authority}{}", without_dots(&joined));
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    Some(url)
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            part => {
                kept.push(part);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// The host of an address, lower case.
pub(crate) fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    uri.host().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_players_do() {
        let base = "https://live.example.com/cup/hls/master.m3u8?token=x";
        for (reference, expected) in [
            (
                "1080p/index.m3u8",
                "https://live.example.com/cup/hls/1080p/index.m3u8",
            ),
            ("../keys/a.key", "https://live.example.com/cup/keys/a.key"),
            ("../../../../a", "https://live.example.com/a"),
            ("./a/./b/..", "https://live.example.com/cup/hls/a/"),
            ("/a/b?c=d#e", "https://live.example.com/a/b?c=d"),
            ("//other.example.com/a", "https://other.example.com/a"),
            ("http://other.example.com/a", "http://other.example.com/a"),
            ("a:b/c", ""),
            ("skd://key", ""),
            ("data:text/plain;base64,AA", ""),
        ] {
            let expected = Some(expected.to_owned()).filter(|text| !text.is_empty());
            assert_eq!(resolve(base, reference), expected, "{reference}");
        }
        assert_eq!(resolve("ftp://x/a", "b"), None);
    }
}
