-- name: cache-by-kind
-- purpose: How well each kind of object is cached: requests, bytes, and hits at the edge and the shield
-- about: Hits are Hit and RefreshHit at the edge, and OriginShieldHit. A hit in a regional edge cache cannot be told in logs: it is logged as Hit or as Miss of the edge that answered.
-- about: Refused and failed requests count among the requests and seldom as hits.
SELECT
    coalesce(object_kind, 'unknown') AS object,
    count(*) AS requests,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    count_if(x_edge_response_result_type = 'Hit') AS edge_hits,
    count_if(x_edge_response_result_type = 'RefreshHit') AS refresh_hits,
    count_if(x_edge_detailed_result_type = 'OriginShieldHit') AS shield_hits,
    count_if(NOT is_hit AND x_edge_response_result_type = 'Miss') AS misses,
    count_if(NOT is_hit AND x_edge_response_result_type = 'Error') AS errors,
    round(1e2 * count_if(is_hit) / count(*), 2) AS hit_percent,
    round(1e2 * sum(CASE WHEN is_hit THEN sc_bytes ELSE 0 END) / nullif(sum(sc_bytes), 0), 2) AS hit_percent_of_bytes
FROM requests
GROUP BY coalesce(object_kind, 'unknown')
ORDER BY requests DESC, object
