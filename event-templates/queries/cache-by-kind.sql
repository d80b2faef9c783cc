-- name: cache-by-kind
-- purpose: How well each kind of object is cached: requests, bytes, and hits at the edge and the shield
-- about: Hits are Hit and RefreshHit at the edge, and OriginShieldHit. A hit in a regional edge cache cannot be told in logs: it is logged as Hit or as Miss of the edge that answered.
-- about: hit_percent is of `served`, answers under 400 that the viewer stayed for, as the report's ratio; requests and bytes are of all, refused and failed ones among them.
SELECT
    coalesce(object_kind, 'unknown') AS object,
    count(*) AS requests,
    count_if(sc_status BETWEEN 200 AND 399 AND NOT is_abandoned) AS served,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    count_if(x_edge_response_result_type = 'Hit') AS edge_hits,
    count_if(x_edge_response_result_type = 'RefreshHit') AS refresh_hits,
    count_if(x_edge_detailed_result_type = 'OriginShieldHit') AS shield_hits,
    count_if(NOT is_hit AND x_edge_response_result_type = 'Miss') AS misses,
    count_if(NOT is_hit AND x_edge_response_result_type = 'Error') AS errors,
    round(1e2 * count_if(is_hit AND sc_status BETWEEN 200 AND 399 AND NOT is_abandoned)
        / nullif(count_if(sc_status BETWEEN 200 AND 399 AND NOT is_abandoned), 0), 2) AS hit_percent,
    round(1e2 * sum(CASE WHEN is_hit THEN sc_bytes ELSE 0 END) / nullif(sum(sc_bytes), 0), 2) AS hit_percent_of_bytes
FROM requests
GROUP BY coalesce(object_kind, 'unknown')
ORDER BY requests DESC, object
