-- name: errors-by-cause
-- purpose: Which errors viewers got, by status and CloudFront's detailed result, with where and how many
-- parameters: from timestamp = doors, until timestamp = end
-- ClientGeoBlocked is the geo restriction at work, not a fault.
WITH requests AS (
    SELECT
        try(from_iso8601_timestamp("date" || 'T' || "time" || 'Z')) AS at,
        try_cast(sc_status AS integer) AS status,
        x_edge_detailed_result_type AS cause,
        cs_uri_stem,
        cache_behavior_path_pattern,
        x_edge_location,
        c_ip
    FROM {{access}}
    WHERE {{hours}}
)
SELECT
    status,
    cause,
    cache_behavior_path_pattern,
    count(*) AS requests,
    approx_distinct(c_ip) AS addresses,
    max_by(cs_uri_stem, at) AS last_path,
    approx_distinct(x_edge_location) AS edges,
    min(at) AS first_seen,
    max(at) AS last_seen
FROM requests
WHERE status >= 400 AND at >= {{from}} AND at < {{until}}
GROUP BY status, cause, cache_behavior_path_pattern
ORDER BY requests DESC
LIMIT 100
