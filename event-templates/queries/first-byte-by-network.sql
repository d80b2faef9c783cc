-- name: first-byte-by-network
-- purpose: Time to first byte and throughput by the viewer's network (AS number): percentiles, hits and misses apart
-- about: Of answers under 400 that nobody hung up on. Throughput is of segments that took at least 50 ms: the edge's side of it, which the viewer's network bounds.
-- parameter: least integer = 100 -- requests from which on a line counts
-- needs: network
SELECT
    asn AS network,
    count(*) AS requests,
    round(1e3 * approx_percentile(time_to_first_byte, 0.5), 0) AS p50_ms,
    round(1e3 * approx_percentile(time_to_first_byte, 0.95), 0) AS p95_ms,
    round(1e3 * approx_percentile(time_to_first_byte, 0.99), 0) AS p99_ms,
    round(1e3 * approx_percentile(CASE WHEN is_hit THEN time_to_first_byte END, 0.95), 0) AS hits_p95_ms,
    round(1e3 * approx_percentile(CASE WHEN NOT is_hit THEN time_to_first_byte END, 0.95), 0) AS misses_p95_ms,
    round(approx_percentile(
        CASE WHEN object_kind = 'segment' AND time_taken >= 0.05 THEN sc_bytes * 8e-6 / time_taken END, 0.1), 2) AS throughput_p10_megabits,
    round(approx_percentile(
        CASE WHEN object_kind = 'segment' AND time_taken >= 0.05 THEN sc_bytes * 8e-6 / time_taken END, 0.5), 2) AS throughput_p50_megabits
FROM requests
WHERE sc_status BETWEEN 200 AND 399 AND NOT is_abandoned
GROUP BY asn
HAVING count(*) >= :least
ORDER BY requests DESC, network
LIMIT 500
