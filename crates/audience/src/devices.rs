//! What viewers watch on. User agents are as such devices send them, versions of no importance.

/// How a player tells its state (CTA-5004).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Version 1 in the query string.
    QueryOne,
    /// Version 2 in the query string.
    QueryTwo,
    /// Version 1 in the request's headers.
    Headers,
    /// Not at all.
    Silent,
}

/// A kind of player.
#[derive(Debug, PartialEq, Eq)]
pub struct Device {
    /// As it is sent.
    pub user_agent: &'static str,
    /// As `CloudFront` logs it.
    pub(crate) logged_agent: &'static str,
    /// Plays DASH rather than HLS.
    pub is_dash: bool,
    /// Runs in a web page, so that it sends a Referer and asks by OPTIONS first.
    pub is_web: bool,
    /// Is on a mobile network more often than not.
    pub is_mobile: bool,
    /// How it tells its state.
    pub telling: Telling,
    /// Its protocol.
    pub protocol_version: &'static str,
}

const fn device(
    user_agent: &'static str,
    logged_agent: &'static str,
    kind: &'static str,
    telling: Telling,
    protocol_version: &'static str,
) -> Device {
    let kind = kind.as_bytes();
    Device {
        user_agent,
        logged_agent,
        is_dash: kind[0] == b'd',
        is_web: kind[1] == b'w',
        is_mobile: kind[2] == b'm',
        telling,
        protocol_version,
    }
}

use Telling::{Headers, QueryOne, QueryTwo, Silent};

/// With how many of a thousand viewers each has. Kinds: DASH or HLS, web page or app, mobile or fixed.
const SHARES: [(u64, Device); 14] = [
    (
        170,
        device(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36",
            "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/153.0.0.0%20Safari/537.36",
            "dwf",
            QueryOne,
            "HTTP/2.0",
        ),
    ),
    (
        150,
        device(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_7%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/26.6%20Mobile/15E148%20Safari/604.1",
            "hwm",
            QueryOne,
            "HTTP/2.0",
        ),
    ),
    (
        120,
        device(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0%20(Linux;%20Android%2010;%20K)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/153.0.0.0%20Mobile%20Safari/537.36",
            "dwm",
            QueryOne,
            "HTTP/3.0",
        ),
    ),
    (
        90,
        device(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.6 Safari/605.1.15",
            "Mozilla/5.0%20(Macintosh;%20Intel%20Mac%20OS%20X%2010_15_7)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/26.6%20Safari/605.1.15",
            "hwf",
            QueryOne,
            "HTTP/2.0",
        ),
    ),
    (
        80,
        device(
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 (KHTML, like Gecko) 108.0.5359.1/8.0 TV Safari/537.36",
            "Mozilla/5.0%20(SMART-TV;%20Linux;%20Tizen%208.0)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20108.0.5359.1/8.0%20TV%20Safari/537.36",
            "daf",
            QueryTwo,
            "HTTP/2.0",
        ),
    ),
    (
        70,
        device(
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 Safari/537.36 WebAppManager",
            "Mozilla/5.0%20(Web0S;%20Linux/SmartTV)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/108.0.5359.211%20Safari/537.36%20WebAppManager",
            "daf",
            QueryOne,
            "HTTP/1.1",
        ),
    ),
    (
        70,
        device(
            "AppleCoreMedia/1.0.0.23J352 (Apple TV; U; CPU OS 26_2 like Mac OS X; de_de)",
            "AppleCoreMedia/1.0.0.23J352%20(Apple%20TV;%20U;%20CPU%20OS%2026_2%20like%20Mac%20OS%20X;%20de_de)",
            "haf",
            Silent,
            "HTTP/2.0",
        ),
    ),
    (
        60,
        device(
            "LivePlayer/7.4 (Linux;Android 14) AndroidXMedia3/1.8.0",
            "LivePlayer/7.4%20(Linux;Android%2014)%20AndroidXMedia3/1.8.0",
            "dam",
            Headers,
            "HTTP/3.0",
        ),
    ),
    (
        50,
        device(
            "LivePlayer/7.4 (Linux;Android 12; AFTKA) AndroidXMedia3/1.8.0",
            "LivePlayer/7.4%20(Linux;Android%2012;%20AFTKA)%20AndroidXMedia3/1.8.0",
            "daf",
            QueryTwo,
            "HTTP/2.0",
        ),
    ),
    (
        40,
        device(
            "AppleCoreMedia/1.0.0.23C55 (iPhone; U; CPU OS 26_2 like Mac OS X; de_at)",
            "AppleCoreMedia/1.0.0.23C55%20(iPhone;%20U;%20CPU%20OS%2026_2%20like%20Mac%20OS%20X;%20de_at)",
            "ham",
            Silent,
            "HTTP/2.0",
        ),
    ),
    (
        40,
        device(
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Mozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:145.0)%20Gecko/20100101%20Firefox/145.0",
            "dwf",
            QueryOne,
            "HTTP/2.0",
        ),
    ),
    (
        30,
        device(
            "HbbTV/1.6.1 (+DRM; ExampleTV; TV-55; 3.1; ; _TV_2025) LivePlayer/7.2",
            "HbbTV/1.6.1%20(+DRM;%20ExampleTV;%20TV-55;%203.1;%20;%20_TV_2025)%20LivePlayer/7.2",
            "daf",
            QueryOne,
            "HTTP/1.1",
        ),
    ),
    (
        20,
        device(
            "Roku/DVP-15.0 (15.0.4.2923-C2)",
            "Roku/DVP-15.0%20(15.0.4.2923-C2)",
            "haf",
            QueryOne,
            "HTTP/1.1",
        ),
    ),
    (
        10,
        device(
            "VLC/3.0.21 LibVLC/3.0.21",
            "VLC/3.0.21%20LibVLC/3.0.21",
            "haf",
            Silent,
            "HTTP/1.1",
        ),
    ),
];

/// What re-streamers pull with: it looks like a browser that does not say more.
pub(crate) static PULLER: Device = device(
    "Lavf/61.7.100",
    "Lavf/61.7.100",
    "haf",
    QueryOne,
    "HTTP/1.1",
);

/// The broadcaster's own probe.
pub(crate) static PROBE: Device = device("onair-probe", "onair-probe", "haf", Silent, "HTTP/2.0");

static DEVICES: [(u64, Device); 14] = SHARES;

/// The device that a number between 0 and 1000 falls on.
pub(crate) fn by_share(mut thousandth: u64) -> &'static Device {
    for (share, device) in &DEVICES {
        if thousandth < *share {
            return device;
        }
        thousandth -= share;
    }
    &DEVICES[0].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_a_whole_and_agents_are_logged_as_they_are_sent() {
        let sum: u64 = DEVICES.iter().map(|(share, _)| share).sum();
        assert_eq!(sum, 1000);
        for device in DEVICES.iter().map(|(_, one)| one).chain([&PULLER, &PROBE]) {
            let mut logged = Vec::new();
            crate::encode::escaped(&mut logged, device.user_agent.as_bytes());
            assert_eq!(String::from_utf8(logged).unwrap(), device.logged_agent);
        }
    }
}
