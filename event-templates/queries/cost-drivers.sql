-- name: cost-drivers
-- purpose: What the bill is made of: requests and bytes by what was asked for, and what was for nothing
-- about: CloudFront bills bytes to viewers and requests, by the region of the edge; the function is billed by request, the shield by request that reaches it. Prices are not in the logs.
-- about: `unwatched_gigabytes` went to viewers who hung up, to errors and to refusals.
SELECT
    coalesce(cache_behavior_path_pattern, 'not logged') AS behavior,
    coalesce(object_kind, 'unknown') AS object,
    count(*) AS requests,
    round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS requests_percent,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    round(1e2 * sum(sc_bytes) / nullif(sum(sum(sc_bytes)) OVER (), 0), 2) AS bytes_percent,
    round(sum(CASE WHEN is_abandoned OR sc_status >= 400 THEN sc_bytes ELSE 0 END) / 1e9, 3) AS unwatched_gigabytes,
    count_if(NOT is_hit AND x_edge_response_result_type = 'Miss') AS origin_requests
FROM requests
GROUP BY coalesce(cache_behavior_path_pattern, 'not logged'), coalesce(object_kind, 'unknown')
ORDER BY gigabytes DESC, requests DESC, behavior, object
