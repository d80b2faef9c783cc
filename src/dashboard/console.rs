//! Addresses of AWS's console.

use crate::event::text::printable;

/// Where a dashboard is shown. Names are letters, digits, `-` and `_`.
pub(crate) fn dashboard_url(name: &str) -> String {
    format!(
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/{}",
        encoded(name)
    )
}

/// Where a distribution is shown.
pub(crate) fn distribution_url(id: &str) -> String {
    format!(
        "https://us-east-1.console.aws.amazon.com/cloudfront/v4/home#/distributions/{}",
        encoded(id)
    )
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(&printable(text), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%5F", "_")
}
