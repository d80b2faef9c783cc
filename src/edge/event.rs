//! The event object that CloudFront hands to a function on a viewer request (version 1.0 of the event
//! structure, CloudFront Developer Guide).

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::request::ViewerRequest;

/// The event for `request` at a distribution of this domain name. The headers about the viewer are
/// there as if a policy of the behavior asked for them.
pub(crate) fn viewer_request(request: &ViewerRequest, domain: &str) -> Value {
    let (uri, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut headers = Map::new();
    let mut put = |name: &str, value: &str| {
        headers.insert(name.to_owned(), json!({ "value": value }));
    };
    put("host", request.host.as_deref().unwrap_or(domain));
    if let Some(agent) = &request.user_agent {
        put("user-agent", agent);
    }
    let located = [
        ("cloudfront-viewer-country", &request.country),
        ("cloudfront-viewer-country-region", &request.region),
        ("cloudfront-viewer-metro-code", &request.metro),
    ];
    for (name, value) in located {
        if let Some(value) = value {
            put(name, value);
        }
    }
    for (name, value) in &request.headers {
        // Cookies have a place of their own in the event.
        if name != "cookie" {
            put(name, value);
        }
    }
    let cookies = request.headers.get("cookie").map(String::as_str);
    let cookies = cookies
        .into_iter()
        .flat_map(|line| line.split(';'))
        .map(str::trim);
    json!({
        "version": "1.0",
        "context": {
            "distributionDomainName": domain,
            "distributionId": "EXAMPLE",
            "eventType": "viewer-request",
            "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
        },
        "viewer": {
            "ip": request.address.map_or_else(|| "0.0.0.0".to_owned(), |address| address.to_string()),
        },
        "request": {
            "method": request.method,
            "uri": uri,
            "querystring": fields(query.split('&')),
            "headers": headers,
            "cookies": fields(cookies),
        },
    })
}

/// Names and values as CloudFront has them: not decoded, and all values of a name that comes more than once.
fn fields<'a>(pairs: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    let mut fields = Map::new();
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode_str(name).decode_utf8_lossy();
        let field = fields
            .entry(name.into_owned())
            .or_insert_with(|| json!({ "value": value }));
        if field["value"] != value || field.get("multiValue").is_some() {
            let first = json!({ "value": field["value"] });
            if field.get("multiValue").is_none() {
                field["multiValue"] = json!([first]);
            }
            if let Some(values) = field["multiValue"].as_array_mut() {
                values.push(json!({ "value": value }));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_request_has_the_shape_of_the_event_structure() {
        let mut request =
            ViewerRequest::new("/live/a.m3u8?token=a%2Fb&x=1&x=2", Timestamp::UNIX_EPOCH);
        request.address = Some("203.0.113.9".parse().unwrap());
        request.country = Some("US".to_owned());
        request.region = Some("MA".to_owned());
        request
            .headers
            .insert("cookie".to_owned(), "a=b; session=s".to_owned());
        let event = viewer_request(&request, "d1.cloudfront.net");
        assert_eq!(event["viewer"]["ip"], "203.0.113.9");
        let request = &event["request"];
        assert_eq!(request["uri"], "/live/a.m3u8");
        assert_eq!(request["querystring"]["token"]["value"], "a%2Fb");
        assert_eq!(request["querystring"]["x"]["multiValue"][1]["value"], "2");
        assert_eq!(request["cookies"]["session"]["value"], "s");
        assert_eq!(
            request["headers"]["cloudfront-viewer-country-region"]["value"],
            "MA"
        );
        assert!(request["headers"].get("cookie").is_none());
    }
}
