-- name: shared-sessions
-- purpose: Playback sessions (CMCD sid) seen from many addresses or networks: re-streams and shared tokens
-- parameters: from timestamp = doors, until timestamp = end
-- CMCD is in the query string, percent-encoded by the player and once more by the log: decoded
-- twice. A viewer on the move has a few addresses in one or two networks; a re-stream has many.
WITH requests AS (
    SELECT
        try(from_iso8601_timestamp("date" || 'T' || "time" || 'Z')) AS at,
        c_ip,
        asn,
        c_country,
        viewer_request_log_data,
        try_cast(sc_bytes AS bigint) AS bytes,
        regexp_extract(
            split_part(split_part(
                coalesce(try(url_decode(try(url_decode(cs_uri_query)))), cs_uri_query), 'CMCD=', 2), '&', 1),
            '(^|,)sid="([^"]*)"', 2) AS sid
    FROM {{access}}
    WHERE {{hours}} AND sc_status IN ('200', '206')
)
SELECT
    sid,
    count(*) AS requests,
    approx_distinct(c_ip) AS addresses,
    approx_distinct(asn) AS networks,
    approx_distinct(c_country) AS countries,
    round(sum(bytes) / 1e9, 2) AS gigabytes,
    arbitrary(viewer_request_log_data) AS revocation_digest,
    min(at) AS first_seen,
    max(at) AS last_seen
FROM requests
WHERE sid IS NOT NULL AND sid <> '' AND at >= {{from}} AND at < {{until}}
GROUP BY sid
HAVING approx_distinct(c_ip) >= 5
ORDER BY addresses DESC, requests DESC
LIMIT 100
