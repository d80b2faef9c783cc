-- name: origin-failovers
-- purpose: When and why CloudFront asked the second origin, minute by minute
-- about: Real-time logs alone have the reason: Failover with the status of the first origin, or MediaQuality. Requests that a cache answered ask no origin and say nothing.
-- needs: realtime
SELECT
    date_trunc('minute', at) AS minute,
    sr_reason AS reason,
    r_host AS origin,
    count(*) AS requests,
    count_if(sc_status >= 500) AS errors_5xx,
    min(x_edge_mqcs) AS lowest_quality_score,
    round(1e3 * approx_percentile(origin_fbl, 0.95), 0) AS origin_first_byte_p95_ms
FROM requests
WHERE sr_reason IS NOT NULL AND sr_reason <> ''
GROUP BY 1, 2, 3
ORDER BY minute, reason, origin
