-- name: event-minutes
-- purpose: Every minute of every distribution in counts that can be added up: requests, bytes, hits, errors, refusals
-- about: What `report` draws its charts and its totals from. Served are answers under 400 that the viewer stayed for; hits are among them, as CloudWatch's CacheHitRate leaves errors out.
-- about: errors_4xx holds the refusals (401, 403, 451) too. The first byte is that of served requests; percentiles cannot be added up, so the one row without a minute has the whole window's.
SELECT
    date_trunc('minute', at) AS minute,
    distribution_id,
    count(*) AS requests,
    sum(sc_bytes) AS bytes,
    count_if(sc_status BETWEEN 200 AND 399 AND NOT is_abandoned) AS served,
    count_if(sc_status BETWEEN 200 AND 399 AND NOT is_abandoned AND is_hit) AS hits,
    count_if(sc_status BETWEEN 400 AND 499) AS errors_4xx,
    count_if(sc_status >= 500) AS errors_5xx,
    count_if(sc_status IN (401, 403, 451)) AS refused,
    count_if(is_abandoned) AS abandoned,
    round(1e3 * approx_percentile(CASE WHEN sc_status BETWEEN 200 AND 399 AND NOT is_abandoned THEN time_to_first_byte END, 0.95), 0) AS first_byte_p95_ms
FROM requests
GROUP BY GROUPING SETS ((date_trunc('minute', at), distribution_id), ())
HAVING count(*) > 0
ORDER BY minute, distribution_id
