-- name: ad-manifests
-- purpose: Manifests with ads minute by minute: what breaks asked of ad insertion, and how it answered
-- about: Every viewer has a manifest of their own there, so misses are as they should be; errors and slow first bytes are not.
-- parameter: ads text = '/ads/' -- what the paths of manifests with ads have in them; MediaTailor's own have /v1/
SELECT
    date_trunc('minute', at) AS minute,
    count(*) AS requests,
    round(count(*) / 6e1, 2) AS requests_per_second,
    count_if(sc_status BETWEEN 400 AND 499) AS errors_4xx,
    count_if(sc_status >= 500) AS errors_5xx,
    count_if(is_abandoned) AS abandoned,
    round(1e2 * count_if(is_hit) / count(*), 2) AS hit_percent,
    round(1e3 * approx_percentile(time_to_first_byte, 0.5), 0) AS first_byte_p50_ms,
    round(1e3 * approx_percentile(time_to_first_byte, 0.95), 0) AS first_byte_p95_ms
FROM requests
WHERE object_kind = 'manifest' AND strpos(cs_uri_stem, :ads) > 0
GROUP BY 1
ORDER BY minute
