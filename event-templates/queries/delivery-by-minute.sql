-- name: delivery-by-minute
-- purpose: Requests, gigabits a second, cache hits, errors and time to first byte, minute by minute
-- parameters: from timestamp = doors, until timestamp = end
-- OriginShieldHit counts as a hit: the origin was spared. A viewer who hung up (000, or a result of
-- Error under a good status) is no error of the service.
WITH requests AS (
    SELECT
        date_trunc('minute', try(from_iso8601_timestamp("date" || 'T' || "time" || 'Z'))) AS minute,
        distributionid,
        try_cast(sc_bytes AS bigint) AS bytes,
        try_cast(sc_status AS integer) AS status,
        x_edge_response_result_type IN ('Hit', 'RefreshHit')
            OR x_edge_detailed_result_type = 'OriginShieldHit' AS is_hit,
        try_cast(time_to_first_byte AS double) AS first_byte
    FROM {{access}}
    WHERE {{hours}}
)
SELECT
    minute,
    distributionid,
    count(*) AS requests,
    round(sum(bytes) * 8e0 / 60 / 1e9, 3) AS gigabits_per_second,
    round(100e0 * count_if(is_hit) / count(*), 2) AS hit_percent,
    round(100e0 * count_if(status BETWEEN 400 AND 499) / count(*), 3) AS percent_4xx,
    round(100e0 * count_if(status BETWEEN 500 AND 599) / count(*), 3) AS percent_5xx,
    round(1000 * approx_percentile(first_byte, 0.95), 0) AS first_byte_p95_ms
FROM requests
WHERE minute >= {{from}} AND minute < {{until}}
GROUP BY minute, distributionid
ORDER BY minute, distributionid
