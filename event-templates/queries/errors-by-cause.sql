-- name: errors-by-cause
-- purpose: Which errors viewers got, by status and CloudFront's detailed result, with where and how many
-- about: ClientGeoBlocked is the geo restriction at work, not a fault. Addresses and edges are estimates (about 2 %); of several paths at the last moment, any is shown.
SELECT
    sc_status AS status,
    x_edge_detailed_result_type AS cause,
    cache_behavior_path_pattern AS behavior,
    count(*) AS requests,
    approx_distinct(c_ip) AS addresses,
    approx_distinct(x_edge_location) AS edges,
    max(cs_uri_stem) AS a_path,
    min(at) AS first_seen,
    max(at) AS last_seen
FROM requests
WHERE sc_status >= 400
GROUP BY sc_status, x_edge_detailed_result_type, cache_behavior_path_pattern
ORDER BY requests DESC, status, cause, behavior
LIMIT 200
