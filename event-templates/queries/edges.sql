-- name: edges
-- purpose: Which edges served the event, what share each had, and which of them are embedded in providers' networks
-- about: AWS documents no code for embedded points of presence: `:pattern` is your assumption, a regular expression over the location, and nothing else makes an edge count as embedded.
-- parameter: pattern text = '^[A-Z]{3}[0-9]+-E' -- which locations are taken for embedded ones
SELECT
    coalesce(regexp_extract(x_edge_location, '^[A-Z]{3}[0-9]*'), 'unknown') AS location,
    CASE WHEN regexp_like(x_edge_location, :pattern) THEN 'embedded' ELSE 'other' END AS edge,
    count(*) AS requests,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    round(1e2 * sum(sc_bytes) / nullif(sum(sum(sc_bytes)) OVER (), 0), 2) AS bytes_percent,
    round(1e2 * count_if(is_hit) / count(*), 2) AS hit_percent,
    count_if(sc_status >= 500) AS errors_5xx,
    round(1e3 * approx_percentile(time_to_first_byte, 0.95), 0) AS first_byte_p95_ms
FROM requests
GROUP BY 1, 2
ORDER BY requests DESC, location, edge
