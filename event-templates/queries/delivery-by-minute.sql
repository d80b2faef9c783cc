-- name: delivery-by-minute
-- purpose: Requests, gigabits a second, cache hits, errors and time to first byte, minute by minute
-- about: OriginShieldHit counts as a hit: the origin was spared. A viewer who hung up is no error of the service. Refused viewers (401, 403, 451) are apart from other 4xx.
SELECT
    date_trunc('minute', at) AS minute,
    distribution_id,
    count(*) AS requests,
    round(sum(sc_bytes) * 8e0 / 60 / 1e9, 6) AS gigabits_per_second,
    round(1e2 * count_if(is_hit) / count(*), 2) AS hit_percent,
    round(1e2 * count_if(sc_status IN (401, 403, 451)) / count(*), 3) AS refused_percent,
    round(1e2 * count_if(sc_status BETWEEN 400 AND 499 AND sc_status NOT IN (401, 403, 451)) / count(*), 3) AS other_4xx_percent,
    round(1e2 * count_if(sc_status >= 500) / count(*), 3) AS percent_5xx,
    round(1e2 * count_if(is_abandoned) / count(*), 3) AS abandoned_percent,
    round(1e3 * approx_percentile(time_to_first_byte, 0.95), 0) AS first_byte_p95_ms
FROM requests
GROUP BY date_trunc('minute', at), distribution_id
ORDER BY minute, distribution_id
